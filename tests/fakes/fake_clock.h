// A clock that stands still until told; SleepFor moves it on at once and remembers how long it slept.
#pragma once

#include <mutex>
#include <vector>

#include "base/clock.h"

namespace tw::fakes {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(SystemTime now = SystemTime(std::chrono::seconds(1'795'000'000))) : now_(now) {}

  SystemTime Now() const override {
    std::lock_guard lock(mutex_);
    return now_;
  }
  SteadyTime Steady() const override {
    std::lock_guard lock(mutex_);
    return steady_;
  }
  bool SleepFor(Duration duration, std::stop_token stop) override {
    if (stop.stop_requested()) return false;
    std::lock_guard lock(mutex_);
    sleeps_.push_back(duration);
    AdvanceLocked(duration);
    return true;
  }
  void Advance(Duration duration) {
    std::lock_guard lock(mutex_);
    AdvanceLocked(duration);
  }
  // As an administrator does: how long things take is not concerned.
  void SetBack(Duration duration) {
    std::lock_guard lock(mutex_);
    now_ -= std::chrono::duration_cast<std::chrono::microseconds>(duration);
  }
  std::vector<Duration> sleeps() const {
    std::lock_guard lock(mutex_);
    return sleeps_;
  }

 private:
  void AdvanceLocked(Duration duration) {
    now_ += std::chrono::duration_cast<std::chrono::microseconds>(duration);
    steady_ += std::chrono::duration_cast<SteadyTime::duration>(duration);
  }

  mutable std::mutex mutex_;
  SystemTime now_;
  SteadyTime steady_{std::chrono::hours(1)};
  std::vector<Duration> sleeps_;
};

}  // namespace tw::fakes
