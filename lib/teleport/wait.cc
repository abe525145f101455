#include "teleport/wait.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tw::teleport {
namespace {

Error Lost(std::string why) {
  return {ErrorKind::kUnreachable, std::move(why), {}, true};
}

// One chunk into `out`; false at the end of the stream.
Result<bool> ReadSome(int fd, char* buffer, std::size_t size, int flags, std::size_t& got, Waiter& waiter) {
  for (;;) {
    const ssize_t count = ::recv(fd, buffer, size, flags);
    if (count >= 0) {
      got = static_cast<std::size_t>(count);
      return count > 0;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return Lost(fmt::format("the connection broke: {}", std::strerror(errno)));
    if (Status ready = waiter.For(fd, POLLIN); !ready) return ready.error();
  }
}

}  // namespace

void Waiter::Ring::operator()() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t done = ::write(fd, &one, sizeof(one));
}

Waiter::Waiter(Deadline deadline, std::stop_token stop)
    : deadline_(deadline), stop_(std::move(stop)), bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  callback_.emplace(stop_, Ring{bell_.get()});
}

Status Waiter::For(int fd, short events) {
  pollfd polled[2] = {{fd, events, 0}, {bell_.get(), POLLIN, 0}};
  for (;;) {
    if (stop_.stop_requested()) return Error::Cancelled();
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now()).count();
    if (left <= 0) return Error{ErrorKind::kTimeout, "timed out", {}, true};
    const int ready = ::poll(polled, 2, static_cast<int>(std::min<decltype(left)>(left, 3'600'000)));
    if (ready < 0 && errno != EINTR) return Lost(fmt::format("poll: {}", std::strerror(errno)));
    if (ready > 0 && polled[0].revents != 0) return {};
  }
}

Status WriteAll(int fd, std::string_view bytes, Waiter& waiter) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      if (Status ready = waiter.For(fd, POLLOUT); !ready) return ready.error();
    } else if (errno != EINTR) {
      return Lost(fmt::format("the connection broke: {}", std::strerror(errno)));
    }
  }
  return {};
}

Result<std::string> ReadUntil(int fd, std::string_view end, std::size_t limit, Waiter& waiter) {
  std::string out;
  while (out.size() < limit) {
    char chunk[2048];
    std::size_t got = 0;
    // Peek first: bytes after `end` belong to somebody else.
    const auto more = ReadSome(fd, chunk, std::min(sizeof(chunk), limit - out.size()), MSG_PEEK, got, waiter);
    if (!more) return more.error();
    if (!*more) return Lost("the other end closed the connection");
    const std::size_t before = out.size();
    out.append(chunk, got);
    const std::size_t from = before < end.size() ? 0 : before - end.size();
    const std::size_t at = out.find(end, from);
    const std::size_t keep = at == std::string::npos ? out.size() : at + end.size();
    out.resize(keep);
    std::size_t taken = 0;
    const auto took = ReadSome(fd, chunk, keep - before, 0, taken, waiter);
    if (!took) return took.error();
    if (at != std::string::npos) return out;
  }
  return Lost(fmt::format("the answer is longer than {} bytes", limit));
}

Result<std::string> ReadCount(int fd, std::size_t size, Waiter& waiter) {
  std::string out;
  while (out.size() < size) {
    char chunk[4096];
    std::size_t got = 0;
    const auto more = ReadSome(fd, chunk, std::min(sizeof(chunk), size - out.size()), 0, got, waiter);
    if (!more) return more.error();
    if (!*more) break;
    out.append(chunk, got);
  }
  return out;
}

Result<std::string> ReadToEnd(int fd, std::size_t limit, Waiter& waiter) {
  std::string out;
  while (out.size() < limit) {
    char chunk[4096];
    std::size_t got = 0;
    const auto more = ReadSome(fd, chunk, sizeof(chunk), 0, got, waiter);
    if (!more) return more.error();
    if (!*more) return out;
    out.append(chunk, got);
  }
  return Lost(fmt::format("the answer is longer than {} bytes", limit));
}

}  // namespace tw::teleport
