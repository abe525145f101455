#include "base/backoff.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "fakes/fake_random.h"

namespace tw {
namespace {

using namespace std::chrono_literals;

// Always the same share of the ceiling: 0 is the shortest wait, all bits set the longest.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::byte byte) : byte_(byte) {}
  void Fill(std::span<std::byte> out) override { std::fill(out.begin(), out.end(), byte_); }

 private:
  std::byte byte_;
};

TEST(Backoff, DoublesTheCeilingUntilTheLongestWait) {
  FixedRandom highest(std::byte{0xff});
  const Duration expected[] = {1s, 2s, 4s, 8s, 10s, 10s, 10s};
  for (unsigned n = 0; n < std::size(expected); ++n) {
    const Duration wait = FullJitter(1s, 10s, n, highest);
    EXPECT_LE(wait, expected[n]) << n;
    EXPECT_GT(wait, expected[n] - 1us) << n;
  }
}

TEST(Backoff, IsNeverZeroSoThatALoopCannotSpin) {
  FixedRandom lowest(std::byte{0});
  EXPECT_EQ(FullJitter(1s, 10s, 0, lowest), 1ms);
  EXPECT_EQ(FullJitter(0s, 10s, 5, lowest), 1ms);
}

TEST(Backoff, EndsAtOnceWhenTheFirstWaitIsZeroAndFailuresAreMany) {
  FixedRandom highest(std::byte{0xff});
  EXPECT_EQ(FullJitter(0s, 10s, std::numeric_limits<unsigned>::max(), highest), 1ms);
}

TEST(Backoff, DoesNotOverflowAfterManyFailures) {
  FixedRandom highest(std::byte{0xff});
  EXPECT_LE(FullJitter(1ms, Duration::max() / 2, 200, highest), Duration::max() / 2);
  EXPECT_GT(FullJitter(1ms, Duration::max() / 2, 200, highest), 24h);
}

TEST(Backoff, TakesTheLongestWaitWhenTheFirstIsLonger) {
  FixedRandom highest(std::byte{0xff});
  EXPECT_LE(FullJitter(1h, 10s, 0, highest), 10s);
}

TEST(Backoff, SpreadsTheWaitsOverTheWholeRange) {
  fakes::FakeRandom random;
  int low = 0;
  int high = 0;
  for (int i = 0; i < 1000; ++i) {
    const Duration wait = FullJitter(1s, 1s, 0, random);
    low += wait < 250ms ? 1 : 0;
    high += wait >= 750ms ? 1 : 0;
  }
  EXPECT_GT(low, 150);
  EXPECT_GT(high, 150);
}

TEST(Backoff, StartsAgainAfterASuccess) {
  FixedRandom highest(std::byte{0xff});
  Backoff backoff(1s, 1min, highest);
  backoff.Next();
  backoff.Next();
  EXPECT_EQ(backoff.failures(), 2U);
  EXPECT_GT(backoff.Next(), 3s);
  backoff.Reset();
  EXPECT_EQ(backoff.failures(), 0U);
  EXPECT_LE(backoff.Next(), 1s);
}

TEST(Random, UnitLiesInTheHalfOpenInterval) {
  FixedRandom lowest(std::byte{0});
  FixedRandom highest(std::byte{0xff});
  EXPECT_EQ(lowest.Unit(), 0.0);
  EXPECT_LT(highest.Unit(), 1.0);
}

TEST(Random, TheSystemsGeneratorFillsEveryByte) {
  SystemRandom random;
  std::array<std::byte, 64> seen{};
  for (int i = 0; i < 16; ++i) {
    std::array<std::byte, 64> bytes{};
    random.Fill(bytes);
    for (std::size_t j = 0; j < bytes.size(); ++j) seen[j] |= bytes[j];
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), std::byte{0}), 0);
  EXPECT_NE(random.Next(), random.Next());
}

}  // namespace
}  // namespace tw
