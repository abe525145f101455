#include "callback/rate_limiter.h"

#include <gtest/gtest.h>

namespace tw::callback {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SteadyTime kStart{std::chrono::hours(1)};

TEST(RateLimiter, LetsASecondsWorthThroughAndThenTheRate) {
  RateLimiter limiter(5.0);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(limiter.Take("a", kStart));
  EXPECT_EQ(limiter.Take("a", kStart), seconds(1));
  EXPECT_FALSE(limiter.Take("a", kStart + milliseconds(200)));
  EXPECT_TRUE(limiter.Take("a", kStart + milliseconds(200)));
  EXPECT_FALSE(limiter.Take("b", kStart));
}

TEST(RateLimiter, TellsHowLongToWaitAtSlowRates) {
  RateLimiter limiter(0.1);
  EXPECT_FALSE(limiter.Take("a", kStart));
  EXPECT_EQ(limiter.Take("a", kStart), seconds(10));
  EXPECT_FALSE(limiter.Take("a", kStart + seconds(10)));
}

TEST(RateLimiter, KeepsABoundedTableAndForgetsTheLeastRecent) {
  RateLimiter limiter(1.0, 3);
  for (const char* key : {"a", "b", "c"}) EXPECT_FALSE(limiter.Take(key, kStart));
  EXPECT_TRUE(limiter.Take("a", kStart));
  EXPECT_FALSE(limiter.Take("d", kStart));  // b goes
  EXPECT_EQ(limiter.size(), 3U);
  EXPECT_TRUE(limiter.Take("a", kStart));
  EXPECT_FALSE(limiter.Take("b", kStart));
}

TEST(RateLimiter, CanBeSwitchedOff) {
  RateLimiter limiter(1.0);
  EXPECT_FALSE(limiter.Take("a", kStart));
  limiter.SetRate(std::nullopt);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(limiter.Take("a", kStart));
}

}  // namespace
}  // namespace tw::callback
