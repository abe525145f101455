// A queue with a limit between threads. Push waits while it is full (back-pressure), so nothing is dropped.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <iterator>
#include <mutex>
#include <stop_token>
#include <utility>
#include <vector>

namespace tw {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t limit) : limit_(limit) {}

  // False when the queue was closed or `stop` requested; the item is then not taken.
  bool Push(T item, std::stop_token stop = {}) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [this] { return closed_ || items_.size() < limit_; });
    if (closed_ || stop.stop_requested()) return false;
    items_.push_back(std::move(item));
    lock.unlock();
    changed_.notify_all();
    return true;
  }

  // Up to `most` items, waiting at most `timeout` for the first. Empty: timed out, stopped, or closed and
  // drained.
  std::vector<T> PopSome(std::size_t most, std::chrono::nanoseconds timeout, std::stop_token stop = {}) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, timeout, [this] { return closed_ || !items_.empty(); });
    const auto count = static_cast<std::ptrdiff_t>(std::min(most, items_.size()));
    std::vector<T> out(std::make_move_iterator(items_.begin()),
                       std::make_move_iterator(items_.begin() + count));
    items_.erase(items_.begin(), items_.begin() + count);
    lock.unlock();
    changed_.notify_all();
    return out;
  }

  // No further items are taken; what is inside can still be popped.
  void Close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
  }

  bool Drained() const {
    std::lock_guard lock(mutex_);
    return closed_ && items_.empty();
  }

  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace tw
