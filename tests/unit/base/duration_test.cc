#include "base/duration.h"

#include <gtest/gtest.h>

namespace tw {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

TEST(ParseDuration, ReadsEveryUnitAndSumsThemUp) {
  constexpr std::pair<std::string_view, milliseconds> kCases[] = {
      {"250ms", 250ms}, {"10s", 10s}, {"5m", 5min}, {"2h", 2h},         {"7d", 168h},
      {"1h30m", 90min}, {"0", 0ms},   {"0s", 0ms},  {"1m1ms", 60001ms}, {"36h", 36h}};
  for (const auto& [text, expected] : kCases) {
    const auto duration = ParseDuration(text);
    ASSERT_TRUE(duration) << text;
    EXPECT_EQ(*duration, expected) << text;
  }
}

TEST(ParseDuration, RefusesWhatHasNoUnitOrIsNoDuration) {
  for (const std::string_view text : {"", "10", "s", "-1s", "+1s", "1 s", "1s ", "1.5s", "1S", "1w", "1h30",
                                      "00", "0x1s", "1s\n", "99999999999999999999s", "3651d", "1s-1s"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

TEST(ParseDuration, TakesAtMostTenYears) {
  EXPECT_TRUE(ParseDuration("3650d"));
  EXPECT_FALSE(ParseDuration("3650d1ms"));
}

TEST(ParseDuration, SaysWhatToWriteAndShowsTheTextEscaped) {
  const auto bad = ParseDuration("5\x1b");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "\"5\\u001b\" is not a duration");
  EXPECT_NE(bad.error().hint.find("10s"), std::string::npos);
}

TEST(FormatDuration, GivesTheShortFormThatReadsBack) {
  constexpr std::pair<milliseconds, std::string_view> kCases[] = {
      {0ms, "0s"},  {250ms, "250ms"},     {10s, "10s"},  {90min, "1h30m"},
      {36h, "36h"}, {61001ms, "1m1s1ms"}, {168h, "168h"}};
  for (const auto& [duration, text] : kCases) {
    EXPECT_EQ(FormatDuration(duration), text);
    EXPECT_EQ(ParseDuration(text).value_or(-1ms), duration);
  }
}

TEST(FormatDuration, ShowsTheSignOfTimesPast) {
  EXPECT_EQ(FormatDuration(-90s), "-1m30s");
  EXPECT_EQ(FormatDuration(milliseconds::min()).substr(0, 1), "-");
}

}  // namespace
}  // namespace tw
