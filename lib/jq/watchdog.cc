#include "jq/watchdog.h"

namespace tw::jq {

std::chrono::nanoseconds Watchdog::Guard::Used() const {
  timespec time{};
  clock_gettime(clock_, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

void Watchdog::Add(Guard* guard) {
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    active_.push_back(guard);
    if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
    // A thread that already sleeps towards an earlier deadline finds this one when it wakes.
    wake = idle_;
  }
  if (wake) changed_.notify_one();
}

void Watchdog::Remove(Guard* guard) {
  std::lock_guard lock(mutex_);
  std::erase(active_, guard);
}

void Watchdog::Run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    idle_ = true;
    changed_.wait(lock, stop, [this] { return !active_.empty(); });
    idle_ = false;
    if (active_.empty()) continue;
    auto earliest = std::chrono::steady_clock::time_point::max();
    const auto now = std::chrono::steady_clock::now();
    for (Guard* guard : active_) {
      if (!guard->fired_ && guard->deadline_ <= now) {
        const std::chrono::nanoseconds left = limit_ - (guard->Used() - guard->began_);
        if (left.count() > 0) {
          guard->deadline_ = now + left;
        } else {
          guard->fired_ = true;
          guard->stop_(guard->context_);
        }
      }
      earliest = std::min(earliest, guard->fired_ ? now + limit_ : guard->deadline_);
    }
    changed_.wait_until(lock, stop, earliest, [] { return false; });
  }
}

}  // namespace tw::jq
