#include "base/error.h"

#include <gtest/gtest.h>

#include <set>

#include "base/log.h"
#include "base/result.h"

namespace tw {
namespace {

constexpr ErrorKind kKinds[] = {ErrorKind::kFailure,     ErrorKind::kUsage,    ErrorKind::kConfig,
                                ErrorKind::kCredentials, ErrorKind::kNotFound, ErrorKind::kConflict,
                                ErrorKind::kUnreachable, ErrorKind::kReceiver, ErrorKind::kMixed,
                                ErrorKind::kTimeout,     ErrorKind::kCancelled};

TEST(Error, ExitCodesAreThoseOfTheManual) {
  const int expected[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 124, 130};
  for (std::size_t i = 0; i < std::size(kKinds); ++i) EXPECT_EQ(ExitCode(kKinds[i]), expected[i]);
}

TEST(Error, EveryKindHasACodeWordOfItsOwn) {
  std::set<std::string_view> words;
  for (const ErrorKind kind : kKinds) words.insert(ErrorCode(kind));
  EXPECT_EQ(words.size(), std::size(kKinds));
  EXPECT_EQ(ErrorCode(ErrorKind::kNotFound), "not_found");
}

TEST(Error, WithinPutsTheContextInFrontAndKeepsTheRest) {
  const Error inner{ErrorKind::kConflict, "already denied", "look at it", true};
  const Error outer = inner.Within("request 7");
  EXPECT_EQ(outer.message, "request 7: already denied");
  EXPECT_EQ(outer.kind, ErrorKind::kConflict);
  EXPECT_EQ(outer.hint, "look at it");
  EXPECT_TRUE(outer.retryable);
}

Result<std::string> Half(bool fine) {
  if (fine) return std::string("value");
  return Error::Usage("wrong", "right");
}

TEST(Result, HoldsTheValueOrTheError) {
  EXPECT_EQ(Half(true).value_or("none"), "value");
  const auto failed = Half(false);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kUsage);
  EXPECT_EQ(failed.error().hint, "right");
}

TEST(LogLevel, TakesTheOriginalsWordsInAnyCase) {
  EXPECT_EQ(ParseLogLevel("INFO"), LogLevel::kInfo);
  EXPECT_EQ(ParseLogLevel("Warning"), LogLevel::kWarning);
  EXPECT_EQ(ParseLogLevel("warn"), LogLevel::kWarning);
  EXPECT_EQ(ParseLogLevel("err"), LogLevel::kError);
  EXPECT_EQ(ParseLogLevel("error"), LogLevel::kError);
  EXPECT_EQ(ParseLogLevel("debug"), LogLevel::kDebug);
  EXPECT_EQ(ParseLogLevel("loud"), std::nullopt);
  EXPECT_EQ(ParseLogLevel(""), std::nullopt);
}

}  // namespace
}  // namespace tw
