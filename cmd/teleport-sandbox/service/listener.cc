#include "service/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tw::sandbox {
namespace {

constexpr int kBacklog = 512;

void Wake(int fd) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(fd, &one, sizeof one);
}

Error SocketError(std::string_view what, const Address& address) {
  return Error::Failure(
      fmt::format("cannot {} {}: {}", what, address.Text(), std::strerror(errno)),
      errno == EADDRINUSE ? "another program has that port; choose another, or 0 for any" : "");
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::Open(const Address& address, Taker taker) {
  std::unique_ptr<Listener> listener(new Listener(address, std::move(taker)));
  listener->wake_.Reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (Status ok = listener->Listen(); !ok) return ok.error();
  listener->thread_ = std::jthread([raw = listener.get()](const std::stop_token& stop) { raw->Run(stop); });
  return listener;
}

Listener::~Listener() {
  thread_.request_stop();
  Wake(wake_.get());
  if (thread_.joinable()) thread_.join();
  CutAll();
}

Status Listener::Listen() {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(address_.port);
  const std::string host =
      address_.host.empty() || address_.host == "localhost" ? "127.0.0.1" : address_.host;
  if (::inet_pton(AF_INET, host.c_str(), &where.sin_addr) != 1) {
    return Error::Usage(fmt::format("{} is not an IPv4 address", address_.host), "listen on 127.0.0.1");
  }
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  socklen_t size = sizeof where;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&where), size) != 0) return SocketError("bind", address_);
  if (::listen(fd.get(), kBacklog) != 0) return SocketError("listen on", address_);
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&where), &size);
  address_.host = host;
  address_.port = ntohs(where.sin_port);
  std::lock_guard lock(mutex_);
  listening_ = std::move(fd);
  return {};
}

void Listener::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    int listening = -1;
    {
      std::lock_guard lock(mutex_);
      listening = listening_.get();
      ForgetClosedLocked();
    }
    std::array<pollfd, 2> fds{{{wake_.get(), POLLIN, 0}, {listening, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t read = ::read(wake_.get(), &count, sizeof count);
    if ((fds[1].revents & POLLIN) != 0) AcceptOne();
  }
}

void Listener::AcceptOne() {
  UniqueFd fd;
  {
    std::lock_guard lock(mutex_);
    if (!listening_) return;
    fd.Reset(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return;
    open_.emplace_back(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  }
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  taker_(std::move(fd));
}

// A duplicate keeps the descriptor, not the conversation: its owner shuts the socket down when it is done.
void Listener::ForgetClosedLocked() {
  std::erase_if(open_, [](const UniqueFd& fd) {
    pollfd one{fd.get(), 0, 0};
    return ::poll(&one, 1, 0) == 1 && (one.revents & (POLLHUP | POLLERR)) != 0;
  });
}

void Listener::Suspend() {
  {
    std::lock_guard lock(mutex_);
    // Closing alone would wait for the poll under way.
    if (listening_) ::shutdown(listening_.get(), SHUT_RDWR);
    listening_.Reset();
  }
  Wake(wake_.get());
}

Status Listener::Resume() {
  {
    std::lock_guard lock(mutex_);
    if (listening_) return {};
  }
  Status ok = Listen();
  Wake(wake_.get());
  return ok;
}

bool Listener::listening() {
  std::lock_guard lock(mutex_);
  return static_cast<bool>(listening_);
}

void Listener::CutAll() {
  std::lock_guard lock(mutex_);
  for (const UniqueFd& fd : open_) ::shutdown(fd.get(), SHUT_RDWR);
  open_.clear();
}

std::size_t Listener::connections() {
  std::lock_guard lock(mutex_);
  ForgetClosedLocked();
  return open_.size();
}

}  // namespace tw::sandbox
