// Time as a port: everything that reads or waits for time takes a Clock, so that tests can drive it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace tw {

// Microseconds: enough for Teleport's times, and no overflow between the years 1 and 9999.
using SystemTime = std::chrono::sys_time<std::chrono::microseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;
using Duration = std::chrono::nanoseconds;

// Implementations are safe for use from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SystemTime Now() const = 0;
  virtual SteadyTime Steady() const = 0;
  // Waits. True when the whole time passed, false as soon as `stop` is requested.
  virtual bool SleepFor(Duration duration, std::stop_token stop) = 0;
};

class RealClock final : public Clock {
 public:
  SystemTime Now() const override;
  SteadyTime Steady() const override;
  bool SleepFor(Duration duration, std::stop_token stop) override;
};

}  // namespace tw
