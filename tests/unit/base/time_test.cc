#include <gtest/gtest.h>

#include "base/duration.h"

namespace tw {
namespace {

using namespace std::chrono_literals;

SystemTime At(std::int64_t seconds, std::int64_t micros = 0) {
  return SystemTime(std::chrono::seconds(seconds) + std::chrono::microseconds(micros));
}

TEST(FormatTime, WritesUtcWithMilliseconds) {
  EXPECT_EQ(FormatTime(At(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(FormatTime(At(1614265330, 123999)), "2021-02-25T15:02:10.123Z");
  EXPECT_EQ(FormatTime(At(-1, 999000)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(FormatTime(At(-62'135'596'800)), "0001-01-01T00:00:00.000Z");
}

TEST(ParseTime, ReadsWhatFormatTimeWrites) {
  for (const std::int64_t seconds :
       {-62'135'596'800L, -1L, 0L, 951'782'400L, 1'614'265'330L, 253'402'300'799L}) {
    const auto time = ParseTime(FormatTime(At(seconds, 456000)));
    ASSERT_TRUE(time) << seconds;
    EXPECT_EQ(*time, At(seconds, 456000));
  }
}

TEST(ParseTime, ReadsEveryFormOfRfc3339) {
  constexpr std::pair<std::string_view, std::int64_t> kCases[] = {
      {"2021-02-25T15:02:10Z", 0},
      {"2021-02-25t15:02:10z", 0},
      {"2021-02-25 15:02:10Z", 0},
      {"2021-02-25T16:02:10+01:00", 0},
      {"2021-02-25T09:32:10-05:30", 0},
      {"2021-02-25T15:02:10.5Z", 500'000},
      {"2021-02-25T15:02:10.1234567891234567890123Z", 123'456},
      {"2021-02-25T15:02:10-00:00", 0}};
  for (const auto& [text, micros] : kCases) {
    const auto time = ParseTime(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(*time, At(1614265330, micros)) << text;
  }
}

TEST(ParseTime, KnowsLeapYearsAndLeapSeconds) {
  EXPECT_TRUE(ParseTime("2024-02-29T00:00:00Z"));
  EXPECT_FALSE(ParseTime("2023-02-29T00:00:00Z"));
  EXPECT_FALSE(ParseTime("2100-02-29T00:00:00Z"));
  EXPECT_EQ(ParseTime("2016-12-31T23:59:60Z").value_or(SystemTime()), At(1'483'228'800));
}

TEST(ParseTime, RefusesWhatIsNoTime) {
  for (const std::string_view text :
       {"", "2021-02-25", "2021-02-25T15:02:10", "2021-02-25T15:02Z", "2021-13-01T00:00:00Z",
        "2021-00-01T00:00:00Z", "2021-01-32T00:00:00Z", "2021-01-01T24:00:00Z", "2021-01-01T00:60:00Z",
        "2021-01-01T00:00:61Z", "2021-01-01T00:00:00.Z", "2021-01-01T00:00:00+1:00",
        "2021-01-01T00:00:00+24:00", "2021-01-01T00:00:00Zx", "21-01-01T00:00:00Z", "2021-1-01T00:00:00Z",
        "-021-01-01T00:00:00Z", "now"}) {
    EXPECT_FALSE(ParseTime(text)) << text;
  }
}

TEST(ParseTime, RefusesTimesThatTheOffsetMovesOutOfTheYears1To9999) {
  EXPECT_FALSE(ParseTime("0001-01-01T00:00:00+00:01"));
  EXPECT_FALSE(ParseTime("9999-12-31T23:59:00-00:01"));
  EXPECT_FALSE(ParseTime("9999-12-31T23:59:60Z"));
  EXPECT_FALSE(ParseTime("0000-06-01T00:00:00Z"));
  EXPECT_TRUE(ParseTime("9999-12-31T23:59:59.999999Z"));
}

TEST(ParseTime, ShowsTheTextEscaped) {
  const auto bad = ParseTime("\x1b]0;x\x07");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().kind, ErrorKind::kUsage);
  EXPECT_EQ(bad.error().message.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace tw
