#include "base/clock.h"

namespace tw {

SystemTime RealClock::Now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

SteadyTime RealClock::Steady() const {
  return std::chrono::steady_clock::now();
}

bool RealClock::SleepFor(Duration duration, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace tw
