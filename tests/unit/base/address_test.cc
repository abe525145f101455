#include <gtest/gtest.h>

#include "base/url.h"

namespace tw {
namespace {

TEST(ParseAddress, ReadsEveryForm) {
  struct Case {
    std::string_view text, host;
    std::uint16_t port;
  };
  for (const Case& one : {Case{"localhost:3025", "localhost", 3025}, Case{":8081", "", 8081},
                          Case{"127.0.0.1:0", "127.0.0.1", 0}, Case{"[::1]:443", "::1", 443},
                          Case{"Example.COM:1", "example.com", 1}}) {
    const auto address = ParseAddress(one.text);
    ASSERT_TRUE(address) << one.text;
    EXPECT_EQ(address->host, one.host);
    EXPECT_EQ(address->port, one.port);
  }
}

TEST(ParseAddress, TakesTheDefaultPortOnlyWhenThereIsOne) {
  EXPECT_EQ(ParseAddress("example.com", 443).value_or(Address{}).port, 443);
  EXPECT_EQ(ParseAddress("[::1]", 443).value_or(Address{}).port, 443);
  EXPECT_EQ(ParseAddress("example.com:80", 443).value_or(Address{}).port, 80);
  EXPECT_FALSE(ParseAddress("example.com"));
  EXPECT_FALSE(ParseAddress("", 443));
}

TEST(ParseAddress, RefusesWhatIsNoAddress) {
  for (const std::string_view text :
       {"", "::1", "host:", "host:65536", "host:-1", "host:1:2", "[::1", "[::1]8", "[host]:1",
        "https://host:1", "ho st:1", "host/:1", "host:1 ", "[]:1"}) {
    EXPECT_FALSE(ParseAddress(text)) << text;
  }
}

TEST(ParseAddress, RefusesWhatHidesBehindANul) {
  using std::string_view_literals::operator""sv;
  for (const std::string_view text : {"[::1\0x]:80"sv, "127.0.0.1\0x:80"sv, "host\0:80"sv}) {
    EXPECT_FALSE(ParseAddress(text)) << text;
  }
  EXPECT_FALSE(IsLoopbackHost("127.0.0.1\0.example.com"sv));
  EXPECT_FALSE(IsLoopbackHost("::1\0.example.com"sv));
}

TEST(ParseAddress, ShowsTheTextEscaped) {
  const auto bad = ParseAddress("\x1b[31m:1");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message.find('\x1b'), std::string::npos);
}

TEST(ParseAddress, HidesWhatLooksLikeUserAndPassword) {
  const auto bad = ParseAddress("bob:hunter2@example.com:8081");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message.find("hunter2"), std::string::npos);
}

TEST(Address, PutsBracketsAroundIpv6) {
  EXPECT_EQ((Address{"::1", 80}.Text()), "[::1]:80");
  EXPECT_EQ((Address{"localhost", 80}.Text()), "localhost:80");
  EXPECT_EQ((Address{"", 80}.Text()), ":80");
}

TEST(IsLoopbackHost, KnowsNamesAndAddressesOfThisMachine) {
  for (const std::string_view host :
       {"localhost", "LocalHost", "hooks.localhost", "127.0.0.1", "127.9.8.7", "::1"}) {
    EXPECT_TRUE(IsLoopbackHost(host)) << host;
  }
  for (const std::string_view host : {"", "localhost.example.com", "notlocalhost", "128.0.0.1", "0.0.0.0",
                                      "::", "127.0.0.1.example.com", "2130706433", "127.1"}) {
    EXPECT_FALSE(IsLoopbackHost(host)) << host;
  }
}

}  // namespace
}  // namespace tw
