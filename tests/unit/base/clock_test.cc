#include "base/clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace tw {
namespace {

using namespace std::chrono_literals;

TEST(RealClock, SleepsAtLeastAsLongAsAsked) {
  RealClock clock;
  const SteadyTime before = clock.Steady();
  EXPECT_TRUE(clock.SleepFor(2ms, {}));
  EXPECT_GE(clock.Steady() - before, 2ms);
}

TEST(RealClock, EndsALongSleepWhenAskedToStop) {
  RealClock clock;
  bool whole = true;
  std::jthread sleeper([&](std::stop_token stop) { whole = clock.SleepFor(24h, stop); });
  sleeper.request_stop();
  sleeper.join();
  EXPECT_FALSE(whole);
}

TEST(RealClock, AgreesWithTheSystemsClock) {
  const auto before = std::chrono::system_clock::now();
  const SystemTime now = RealClock().Now();
  const auto after = std::chrono::system_clock::now();
  EXPECT_GE(now, std::chrono::floor<std::chrono::microseconds>(before));
  EXPECT_LE(now, after);
}

}  // namespace
}  // namespace tw
