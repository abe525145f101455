#include "teleport/http_text.h"

#include <gtest/gtest.h>

#include <map>

namespace tw::teleport {
namespace {

Environment With(std::map<std::string, std::string> values) {
  return [values](const char* name) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  };
}

TEST(ChooseProxy, TakesTheConfiguredOneAlsoForLoopback) {
  const auto proxy = ChooseProxy("http://u:p@127.0.0.1:3128", {"localhost", 3025}, With({{"NO_PROXY", "*"}}));
  ASSERT_TRUE(proxy && *proxy);
  EXPECT_EQ((*proxy)->url.port, 3128);
  EXPECT_EQ((*proxy)->url.user, "u");
  EXPECT_EQ((*proxy)->setting, "teleport.proxy_url");
}

TEST(ChooseProxy, ReadsTheEnvironmentLowerCaseFirst) {
  const auto environment = With({{"HTTPS_PROXY", "http://upper:1"}, {"https_proxy", "lower:2"}});
  const auto proxy = ChooseProxy("", {"teleport.example.com", 443}, environment);
  ASSERT_TRUE(proxy && *proxy);
  EXPECT_EQ((*proxy)->url.host, "lower");
  EXPECT_EQ((*proxy)->setting, "HTTPS_PROXY");
}

TEST(ChooseProxy, GoesStraightToLoopbackAndToWhatNoProxyNames) {
  const auto environment = With({{"HTTPS_PROXY", "http://p:1"}, {"NO_PROXY", ".example.com"}});
  EXPECT_FALSE(ChooseProxy("", {"127.0.0.1", 3025}, environment)->has_value());
  EXPECT_FALSE(ChooseProxy("", {"teleport.example.com", 443}, environment)->has_value());
  EXPECT_TRUE(ChooseProxy("", {"teleport.example.org", 443}, environment)->has_value());
}

TEST(ChooseProxy, RefusesWhatIsNoProxyUrlWithoutShowingIt) {
  const auto proxy = ChooseProxy("http://user:secret word@x", {"a", 1}, With({}));
  ASSERT_FALSE(proxy);
  EXPECT_EQ(proxy.error().kind, ErrorKind::kConfig);
  EXPECT_EQ(proxy.error().message.find("secret"), std::string::npos);
}

TEST(NoProxyCovers, KnowsNamesSuffixesPortsAddressesAndBlocks) {
  EXPECT_TRUE(NoProxyCovers("a.example, b.example", {"b.example", 1}));
  EXPECT_TRUE(NoProxyCovers("example", {"x.EXAMPLE", 1}));
  EXPECT_FALSE(NoProxyCovers("example", {"badexample", 1}));
  EXPECT_FALSE(NoProxyCovers(".example", {"example", 1}));
  EXPECT_TRUE(NoProxyCovers("*.example", {"x.example", 1}));
  EXPECT_TRUE(NoProxyCovers("a.example:443", {"a.example", 443}));
  EXPECT_FALSE(NoProxyCovers("a.example:443", {"a.example", 3025}));
  EXPECT_TRUE(NoProxyCovers("10.0.0.0/8", {"10.200.3.4", 1}));
  EXPECT_FALSE(NoProxyCovers("10.0.0.0/8", {"11.0.0.1", 1}));
  EXPECT_TRUE(NoProxyCovers("fd00::/8", {"fd12::1", 1}));
  EXPECT_TRUE(NoProxyCovers("192.0.2.1", {"192.0.2.1", 1}));
  EXPECT_TRUE(NoProxyCovers("*", {"anything", 1}));
}

TEST(ConnectRequest, NamesTheTargetAndCarriesCredentials) {
  const auto url = ParseUrl("http://user:pass@proxy:3128");
  EXPECT_EQ(
      ConnectRequest({"::1", 3025}, *url),
      "CONNECT [::1]:3025 HTTP/1.1\r\nHost: [::1]:3025\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n");
}

TEST(ParseHttpHead, ReadsStatusAndFields) {
  const auto head = ParseHttpHead("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX: a:b\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 101);
  EXPECT_EQ(head->Get("upgrade"), "websocket");
  EXPECT_EQ(head->Get("x"), "a:b");
  EXPECT_FALSE(ParseHttpHead("SSH-2.0-Teleport\r\n"));
  for (const char* odd : {"HTTP/1.1 x01 \r\n", "HTTP/1.1 -12 \r\n", "HTTP/1.1 000 \r\n",
                          "HTTP/1.1x200 OK\r\n", "HTTP/1.1 20"}) {
    EXPECT_FALSE(ParseHttpHead(odd)) << odd;
  }
  EXPECT_FALSE(ParseHttpHead(""));
}

}  // namespace
}  // namespace tw::teleport
