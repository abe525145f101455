#include "base/url.h"

#include <gtest/gtest.h>

namespace tw {
namespace {

using namespace std::string_view_literals;

TEST(ParseUrl, TakesAUrlApart) {
  const auto url = ParseUrl("HTTPS://al%20ice:s%3Acret@Hooks.Example.COM:8443/a/b?c=d&e#frag");
  ASSERT_TRUE(url) << url.error().message;
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->user, "al ice");
  EXPECT_EQ(url->password.Reveal(), "s:cret");
  EXPECT_EQ(url->host, "hooks.example.com");
  EXPECT_EQ(url->port, 8443);
  EXPECT_TRUE(url->explicit_port);
  EXPECT_EQ(url->target, "/a/b?c=d&e");
}

TEST(ParseUrl, FillsInPortAndPath) {
  const auto secure = ParseUrl("https://example.com");
  ASSERT_TRUE(secure);
  EXPECT_EQ(secure->port, 443);
  EXPECT_EQ(secure->target, "/");
  const auto plain = ParseUrl("http://example.com?x=1");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->port, 80);
  EXPECT_EQ(plain->target, "/?x=1");
}

TEST(ParseUrl, ReadsIpv6Hosts) {
  const auto url = ParseUrl("http://[::1]:8080/x");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->Origin(), "http://[::1]:8080");
  EXPECT_EQ(url->WithoutUserInfo(), "http://[::1]:8080/x");
}

TEST(ParseUrl, RefusesWhatIsNoHttpUrl) {
  for (const std::string_view text : {""sv,
                                      "example.com"sv,
                                      "ftp://example.com"sv,
                                      "https://"sv,
                                      "https:///x"sv,
                                      "https://exa mple.com"sv,
                                      "https://example.com/\r\nX: y"sv,
                                      "https://exämple.com"sv,
                                      "https://example.com:0"sv,
                                      "https://example.com:65536"sv,
                                      "https://example.com:"sv,
                                      "https://example.com:8a"sv,
                                      "https://[::1"sv,
                                      "https://[::g]"sv,
                                      "https://[::1]x"sv,
                                      "https://::1/"sv,
                                      "https://a\\b/"sv,
                                      "https://example.com/\""sv,
                                      "https://exa\0mple.com"sv,
                                      "https://user@"sv,
                                      "https://exa%6dple.com"sv,
                                      " https://example.com"sv}) {
    EXPECT_FALSE(ParseUrl(text)) << text;
  }
}

TEST(ParseUrl, RefusesOddSpellingsOfIpv4) {
  for (const std::string_view host :
       {"0x7f.1", "2130706433", "127.1", "0177.0.0.1", "127.0.0.1.", "1.2.3.4.5", "256.1.1.1"}) {
    EXPECT_FALSE(ParseUrl("http://" + std::string(host) + "/")) << host;
  }
  EXPECT_TRUE(ParseUrl("http://127.0.0.1/"));
  EXPECT_TRUE(ParseUrl("http://1.example.com/"));
  EXPECT_TRUE(ParseUrl("http://host-1/"));
}

TEST(ParseUrl, NeverShowsTheTextInItsError) {
  for (const std::string_view text :
       {"https://bob:hunter2@", "https://bob:hunter2@exa mple.com/hunter2", "ftp://hunter2"}) {
    const auto url = ParseUrl(text);
    ASSERT_FALSE(url);
    EXPECT_EQ(url.error().message.find("hunter2"), std::string::npos);
    EXPECT_EQ(url.error().hint.find("hunter2"), std::string::npos);
  }
}

TEST(Url, ShowsNeitherUserInfoNorPathNorQuery) {
  const auto url = ParseUrl("https://bob:hunter2@example.com/services/T0/secret?token=abc");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->Origin(), "https://example.com");
  EXPECT_EQ(url->Redacted(), "https://example.com/***");
  EXPECT_EQ(url->WithoutUserInfo(), "https://example.com/services/T0/secret?token=abc");
}

TEST(Url, ShowsThatThereIsNoPath) {
  EXPECT_EQ(ParseUrl("https://example.com/")->Redacted(), "https://example.com/");
  EXPECT_EQ(ParseUrl("http://example.com:8080")->Redacted(), "http://example.com:8080/");
}

TEST(Url, LeavesTheUsualPortOutOfTheOrigin) {
  EXPECT_EQ(ParseUrl("https://example.com:443/")->Origin(), "https://example.com");
  EXPECT_EQ(ParseUrl("http://example.com:443/")->Origin(), "http://example.com:443");
}

TEST(PercentDecode, DecodesWhatIsEncodedAndKeepsTheRest) {
  EXPECT_EQ(PercentDecode("a%20b%2Fc"), "a b/c");
  EXPECT_EQ(PercentDecode("100%"), "100%");
  EXPECT_EQ(PercentDecode("%4"), "%4");
  EXPECT_EQ(PercentDecode("%zz%41"), "%zzA");
  EXPECT_EQ(PercentDecode("%00"), "\0"sv);
}

}  // namespace
}  // namespace tw
