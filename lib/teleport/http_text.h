// The little HTTP/1.1 that is spoken before the real protocol starts: the head of an answer, and HTTP CONNECT
// (RFC 9110 section 9.3.6). Pure, any thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/url.h"

namespace tw::teleport {

struct HttpHead {
  int status = 0;
  std::map<std::string, std::string> fields;  // names in lower case; the last one wins

  std::string Get(const std::string& name) const;
};

inline constexpr std::size_t kMaxHttpHead = 16UL * 1024;
inline constexpr std::string_view kEndOfHead = "\r\n\r\n";

// `text` is the head up to and including the empty line. Error: kUnreachable.
Result<HttpHead> ParseHttpHead(std::string_view text);

// Looks an environment variable up; empty: not set.
using Environment = std::function<std::string(const char* name)>;
std::string ProcessEnvironment(const char* name);

struct HttpProxy {
  Url url;
  std::string setting;  // what names it, for messages: "teleport.proxy_url" or "HTTPS_PROXY"
};
// The proxy for connections to `target`: `configured` when set, else HTTPS_PROXY unless NO_PROXY (or a
// loopback target) says otherwise; lower case names win. Nullopt: none. Error (kConfig): the text is not a
// proxy URL.
Result<std::optional<HttpProxy>> ChooseProxy(const std::string& configured, const Address& target,
                                             const Environment& environment);

// Does this list (names, .suffixes, *.suffixes, addresses, CIDR blocks, host:port, "*") cover the target?
bool NoProxyCovers(std::string_view list, const Address& target);

std::string ConnectRequest(const Address& target, const Url& proxy);

}  // namespace tw::teleport
