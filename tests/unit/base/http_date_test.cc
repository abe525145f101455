#include <gtest/gtest.h>

#include "base/duration.h"

namespace tw {
namespace {

constexpr std::int64_t kRfcExample = 784'111'777;  // RFC 9110 section 5.6.7

std::int64_t Seconds(std::string_view text) {
  const auto time = ParseHttpDate(text);
  return time ? std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count() : -1;
}

TEST(ParseHttpDate, ReadsAllThreeFormsOfTheRfc) {
  EXPECT_EQ(Seconds("Sun, 06 Nov 1994 08:49:37 GMT"), kRfcExample);
  EXPECT_EQ(Seconds("Sunday, 06-Nov-94 08:49:37 GMT"), kRfcExample);
  EXPECT_EQ(Seconds("Sun Nov  6 08:49:37 1994"), kRfcExample);
}

TEST(ParseHttpDate, ReadsTwoDigitDaysOfTheOldCForm) {
  EXPECT_EQ(Seconds("Wed Nov 16 08:49:37 1994"), kRfcExample + 10 * 86400);
}

TEST(ParseHttpDate, TakesTwoDigitYearsForThisCentury) {
  EXPECT_EQ(Seconds("Wednesday, 06-Nov-30 08:49:37 GMT"), Seconds("Wed, 06 Nov 2030 08:49:37 GMT"));
}

TEST(ParseHttpDate, RefusesWhatIsNoHttpDate) {
  for (const std::string_view text : {"",
                                      "120",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 UTC",
                                      "Sun, 06 Nov 1994 08:49:37 GMT ",
                                      "Sun, 6 Nov 1994 08:49:37 GMT",
                                      "Sun, 31 Feb 1994 08:49:37 GMT",
                                      "Sun, 06 nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 24:49:37 GMT",
                                      "Sun, 06-Nov-1994 08:49:37 GMT",
                                      "Sun, 06 Nov 94 08:49:37 GMT",
                                      "Sun Nov  6 08:49:37 94",
                                      "06 Nov 1994 08:49:37 GMT",
                                      "Sun,06 Nov 1994 08:49:37 GMT",
                                      "Sun, ",
                                      "Sun, 0",
                                      "xyz 06 Nov 1994 08:49:37 GMT",
                                      "Sun 06 Nov 1994 08:49:37 GMT",
                                      "Sun, Nov  6 08:49:37 1994",
                                      "Sun, 06 Nov 0000 08:49:37 GMT"}) {
    EXPECT_FALSE(ParseHttpDate(text)) << text;
  }
}

}  // namespace
}  // namespace tw
