#include "base/secret.h"

#include <gtest/gtest.h>

namespace tw {
namespace {

TEST(Secret, MatchesOnlyTheWholeText) {
  const Secret secret("hunter2");
  EXPECT_TRUE(secret.Matches("hunter2"));
  for (const std::string_view wrong : {"", "hunter", "hunter22", "Hunter2", "hunter3", "hunter2hunter2"}) {
    EXPECT_FALSE(secret.Matches(wrong)) << wrong;
  }
}

TEST(Secret, AnEmptyOneMatchesNothingButEmptyText) {
  EXPECT_FALSE(Secret().Matches(std::string_view("\xff", 1)));
  EXPECT_FALSE(Secret().Matches("x"));
  EXPECT_TRUE(Secret().Matches(""));
  EXPECT_TRUE(Secret().empty());
}

TEST(Secret, ComparesBytesBehindAZero) {
  using namespace std::string_view_literals;
  const Secret secret(std::string("a\0b"sv));
  EXPECT_TRUE(secret.Matches("a\0b"sv));
  EXPECT_FALSE(secret.Matches("a\0c"sv));
  EXPECT_FALSE(secret.Matches("a"));
}

TEST(Secret, MovingEmptiesTheSource) {
  Secret from("short");
  Secret long_one(std::string(200, 'x'));
  const Secret to(std::move(from));
  const Secret long_to(std::move(long_one));
  EXPECT_EQ(to.Reveal(), "short");
  EXPECT_EQ(long_to.Reveal().size(), 200U);
  EXPECT_TRUE(from.empty());      // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_TRUE(long_one.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(Secret, CopiesAndAssignmentsAreEqual) {
  const Secret one("text");
  Secret two;
  two = one;
  EXPECT_TRUE(one == two);
  two = Secret("other");
  EXPECT_FALSE(one == two);
}

}  // namespace
}  // namespace tw
