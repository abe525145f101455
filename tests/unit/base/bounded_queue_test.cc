#include "base/bounded_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <thread>

namespace tw {
namespace {

using namespace std::chrono_literals;

TEST(BoundedQueue, GivesItemsBackInOrderAndAtMostAsManyAsAsked) {
  BoundedQueue<int> queue(5);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(queue.Push(i));
  EXPECT_EQ(queue.PopSome(3, 0s), (std::vector{0, 1, 2}));
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue.PopSome(3, 0s), (std::vector{3, 4}));
}

TEST(BoundedQueue, ComesBackEmptyWhenNothingArrivesInTime) {
  BoundedQueue<int> queue(1);
  EXPECT_TRUE(queue.PopSome(1, 1ms).empty());
}

TEST(BoundedQueue, HoldsThePusherBackWhileItIsFull) {
  BoundedQueue<int> queue(2);
  std::jthread pusher([&] {
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(queue.Push(i));
    queue.Close();
  });
  std::vector<int> all;
  while (!queue.Drained()) {
    EXPECT_LE(queue.size(), 2U);
    for (const int i : queue.PopSome(10, 10s)) all.push_back(i);
  }
  std::vector<int> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(all, expected);
}

TEST(BoundedQueue, WakesAWaitingPusherOnStopWithoutTakingTheItem) {
  BoundedQueue<int> queue(1);
  ASSERT_TRUE(queue.Push(1));
  bool taken = true;
  std::jthread pusher([&](std::stop_token stop) { taken = queue.Push(2, stop); });
  pusher.request_stop();
  pusher.join();
  EXPECT_FALSE(taken);
  EXPECT_EQ(queue.PopSome(10, 0s), (std::vector{1}));
}

TEST(BoundedQueue, WakesAWaitingReaderOnStop) {
  BoundedQueue<int> queue(1);
  std::vector<int> got{7};
  std::jthread reader([&](std::stop_token stop) { got = queue.PopSome(1, 1h, stop); });
  reader.request_stop();
  reader.join();
  EXPECT_TRUE(got.empty());
}

TEST(BoundedQueue, TakesNothingMoreAfterCloseButGivesOutWhatItHolds) {
  BoundedQueue<int> queue(2);
  ASSERT_TRUE(queue.Push(1));
  queue.Close();
  EXPECT_FALSE(queue.Push(2));
  EXPECT_FALSE(queue.Drained());
  EXPECT_EQ(queue.PopSome(10, 1h), (std::vector{1}));
  EXPECT_TRUE(queue.Drained());
  EXPECT_TRUE(queue.PopSome(10, 1h).empty());
}

TEST(BoundedQueue, CarriesItemsThatCanOnlyBeMoved) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  ASSERT_TRUE(queue.Push(std::make_unique<int>(3)));
  const auto got = queue.PopSome(1, 0s);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(*got[0], 3);
}

}  // namespace
}  // namespace tw
