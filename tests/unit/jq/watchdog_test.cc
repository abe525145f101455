#include "jq/watchdog.h"

#include <gtest/gtest.h>

#include <atomic>

namespace tw::jq {
namespace {

using namespace std::chrono_literals;

void Raise(void* flag) {
  static_cast<std::atomic<bool>*>(flag)->store(true);
}

TEST(Watchdog, StopsWhatComputesForTooLong) {
  Watchdog dog(20ms);
  std::atomic<bool> stopped{false};
  const Watchdog::Guard guard(dog, &Raise, &stopped);
  const auto give_up = std::chrono::steady_clock::now() + 30s;
  while (!stopped && std::chrono::steady_clock::now() < give_up) continue;
  EXPECT_TRUE(stopped);
}

TEST(Watchdog, LeavesAloneWhatOnlyWaitsForTheProcessor) {
  Watchdog dog(20ms);
  std::atomic<bool> stopped{false};
  const Watchdog::Guard guard(dog, &Raise, &stopped);
  std::this_thread::sleep_for(200ms);  // as a thread that a busy machine does not let run
  EXPECT_FALSE(stopped);
}

}  // namespace
}  // namespace tw::jq
