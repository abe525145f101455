#include "base/network.h"

#include <gtest/gtest.h>

namespace tw {
namespace {

TEST(AddressSet, HoldsAddressesAndRangesOfBothFamilies) {
  const std::vector<std::string> entries{"192.0.2.1", "10.0.0.0/8", "2001:db8::/33", "::1"};
  const auto set = AddressSet::Parse(entries);
  ASSERT_TRUE(set);
  for (const char* inside : {"192.0.2.1", "::ffff:192.0.2.1", "10.255.0.1", "2001:db8:7fff::1", "::1"})
    EXPECT_TRUE(set->Contains(inside)) << inside;
  for (const char* outside :
       {"192.0.2.2", "11.0.0.1", "2001:db8:8000::1", "::2", "unix", "", "10.0.0.1, 10.0.0.2"})
    EXPECT_FALSE(set->Contains(outside)) << outside;
}

TEST(AddressSet, NamesTheEntryItCannotRead) {
  for (const std::string bad :
       {"localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "1.2.3", "10.0.0.0/8x", ""}) {
    const std::vector<std::string> entries{bad};
    const auto set = AddressSet::Parse(entries);
    ASSERT_FALSE(set) << bad;
    EXPECT_NE(set.error().message.find("\"" + bad + "\""), std::string::npos);
  }
}

TEST(HostPart, TakesASlash64AsOneHost) {
  const auto part = [](const char* text) { return FormatNumeric(HostPart(*ParseNumeric(text))); };
  EXPECT_EQ(part("2001:db8::1"), part("2001:db8::ffff:1"));
  EXPECT_NE(part("2001:db8:0:1::1"), part("2001:db8::1"));
  EXPECT_EQ(part("::ffff:192.0.2.1"), "192.0.2.1");
}

TEST(Numeric, RefusesWhatHidesBehindANul) {
  using std::string_view_literals::operator""sv;
  EXPECT_FALSE(ParseNumeric("127.0.0.1\0.example.com"sv));
  EXPECT_FALSE(ParseNumeric("::1\0"sv));
}

TEST(Numeric, KnowsLoopback) {
  EXPECT_TRUE(IsLoopback(*ParseNumeric("127.3.2.1")));
  EXPECT_TRUE(IsLoopback(*ParseNumeric("::1")));
  EXPECT_FALSE(IsLoopback(*ParseNumeric("128.0.0.1")));
}

}  // namespace
}  // namespace tw
