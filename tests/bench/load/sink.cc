#include "sink.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace load {
namespace {

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
constexpr int kSliceMs = 100;  // how soon the thread sees that it shall stop

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::exit(1);
}

void Watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) Die("epoll_ctl");
}

// The value of a header field, empty when there is none. `name` in lower case with its colon.
std::string Field(const std::string& head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at + 2)) {
    const char* line = head.c_str() + at + 2;
    if (strncasecmp(line, name.data(), name.size()) != 0) continue;
    std::string value(line + name.size(), strcspn(line + name.size(), "\r"));
    value.erase(0, value.find_first_not_of(' '));
    return value;
  }
  return {};
}

}  // namespace

Sink::Sink(int port) {
  listening_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int one = 1;
  setsockopt(listening_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (bind(listening_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) Die("bind");
  if (listen(listening_, 512) != 0) Die("listen");
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  Watch(epoll_, listening_);
  thread_ = std::thread([this] { Run(); });
}

Sink::~Sink() {
  stop_ = true;
  thread_.join();
  for (const auto& [fd, buffer] : buffers_) close(fd);
  close(listening_);
  close(epoll_);
}

std::size_t Sink::count() const {
  const std::lock_guard lock(mutex_);
  return ids_.size();
}

std::size_t Sink::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

bool Sink::WaitFor(std::size_t count, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return more_.wait_for(lock, limit, [&] { return ids_.size() >= count; });
}

void Sink::Run() {
  std::array<epoll_event, 64> events{};
  while (!stop_) {
    const int ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), kSliceMs);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listening_) {
        Accept();
      } else if (!Read(fd)) {
        buffers_.erase(fd);
        close(fd);
      }
    }
  }
}

void Sink::Accept() {
  const int fd = accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  buffers_[fd].clear();
  Watch(epoll_, fd);
}

bool Sink::Read(int fd) {
  std::string& buffer = buffers_[fd];
  std::array<char, 65536> chunk{};
  const ssize_t got = read(fd, chunk.data(), chunk.size());
  if (got <= 0) return false;
  buffer.append(chunk.data(), static_cast<std::size_t>(got));
  for (;;) {
    const std::size_t end = buffer.find("\r\n\r\n");
    if (end == std::string::npos) return true;
    const std::string head = buffer.substr(0, end + 2);
    const std::size_t length = std::strtoul(Field(head, "content-length:").c_str(), nullptr, 10);
    if (buffer.size() < end + 4 + length) return true;
    buffer.erase(0, end + 4 + length);
    if (write(fd, kAnswer.data(), kAnswer.size()) != static_cast<ssize_t>(kAnswer.size())) return false;
    Note(head);
  }
}

void Sink::Note(const std::string& head) {
  const std::lock_guard lock(mutex_);
  ++requests_;
  ids_.insert(Field(head, "webhook-id:"));
  more_.notify_all();
}

}  // namespace load
