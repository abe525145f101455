// Waiting for sockets with a deadline and a stop token, so that every step of a dial is bounded and can be
// cancelled.
#pragma once

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace tw::teleport {

using Deadline = std::chrono::steady_clock::time_point;

// For one thread at a time. Holds an eventfd that the stop token rings.
class Waiter {
 public:
  Waiter(Deadline deadline, std::stop_token stop);
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // Waits until `fd` has one of `events` (or an error that the next call on it will tell).
  // Errors: kTimeout past the deadline, kCancelled.
  Status For(int fd, short events);
  Deadline deadline() const { return deadline_; }
  const std::stop_token& stop() const { return stop_; }

 private:
  struct Ring {
    int fd;
    void operator()() const;
  };
  Deadline deadline_;
  std::stop_token stop_;
  UniqueFd bell_;
  std::optional<std::stop_callback<Ring>> callback_;
};

// Text exchanges over a non-blocking descriptor (HTTP before the real protocol starts).
// Errors: of Waiter, and kUnreachable when the other end goes away.
Status WriteAll(int fd, std::string_view bytes, Waiter& waiter);
// Reads until `end` was seen (it is part of the result); at most `limit` bytes. Reads nothing past the end.
Result<std::string> ReadUntil(int fd, std::string_view end, std::size_t limit, Waiter& waiter);
// Reads `size` bytes, or fewer when the other end closes before.
Result<std::string> ReadCount(int fd, std::size_t size, Waiter& waiter);
// Reads until the other end closes, at most `limit` bytes.
Result<std::string> ReadToEnd(int fd, std::size_t limit, Waiter& waiter);

}  // namespace tw::teleport
