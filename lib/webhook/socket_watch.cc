#include "webhook/socket_watch.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

namespace tw::webhook {
namespace {

constexpr std::size_t kBatch = 64;  // events taken at once

}  // namespace

SocketWatch::SocketWatch()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_.get();
  if (!epoll_ || !wake_ || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) std::abort();
}

void SocketWatch::Want(int fd, bool read, bool write) {
  Socket& socket = sockets_[fd];
  socket.wanted = (read ? EPOLLIN : 0U) | (write ? EPOLLOUT : 0U);
  // An idle connection stays registered; should it stir meanwhile, Wait takes it out.
  if (socket.wanted != 0 || !socket.owned) Register(fd, socket, socket.wanted);
  if (socket.wanted == 0 && !socket.owned) sockets_.erase(fd);
}

void SocketWatch::Register(int fd, Socket& socket, std::uint32_t events) const {
  if (socket.registered == events) return;
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (events == 0) {
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, &event);
  } else if (socket.registered == 0 || epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) {
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }
  socket.registered = events;
}

std::vector<SocketWatch::Ready> SocketWatch::Wait(std::chrono::milliseconds wait, bool& woken) {
  std::array<epoll_event, kBatch> events;
  const auto limit = std::clamp<std::chrono::milliseconds::rep>(wait.count(), 0, 3'600'000);
  const int count =
      epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), static_cast<int>(limit));
  std::vector<Ready> ready;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const int fd = event.data.fd;
    if (fd == wake_.get()) {
      std::uint64_t drained = 0;
      woken |= read(fd, &drained, sizeof drained) > 0;
      continue;
    }
    const auto found = sockets_.find(fd);
    if (found == sockets_.end()) continue;
    if (found->second.wanted == 0) {
      Register(fd, found->second, 0);
      continue;
    }
    ready.push_back({fd, (event.events & EPOLLIN) != 0, (event.events & EPOLLOUT) != 0,
                     (event.events & (EPOLLERR | EPOLLHUP)) != 0});
  }
  return ready;
}

void SocketWatch::Wake() const {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the reader is awake anyway.
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof one);
}

}  // namespace tw::webhook
