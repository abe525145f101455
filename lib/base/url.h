// URLs and network addresses: parsed strictly, printed without secrets. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace tw {

// An absolute http(s) URL (RFC 3986). Control characters, blanks and non-ASCII are refused, and so are odd
// spellings of IPv4 addresses.
struct Url {
  std::string scheme;  // "http" or "https", lower case
  std::string user;    // percent-decoded user info, may be empty
  Secret password;
  std::string host;  // lower case; IPv6 without brackets
  std::uint16_t port = 0;
  bool explicit_port = false;
  std::string target;  // path and query, at least "/", as written

  bool https() const { return scheme == "https"; }
  // "https://host:port", the port only when it is not the scheme's own: all that may be shown in a log.
  std::string Origin() const;
  // "https://host:port/***": says that there is more without showing it (paths of hook URLs are secrets).
  std::string Redacted() const;
  // The whole URL without user info, for use on the wire only.
  std::string WithoutUserInfo() const;
};

Result<Url> ParseUrl(std::string_view text);
std::string PercentDecode(std::string_view text);

// "host:port", "[v6]:port" or ":port" (empty host = all addresses). Port 0 lets a listener choose.
struct Address {
  std::string host;
  std::uint16_t port = 0;

  std::string Text() const;  // brackets around IPv6
};

// `default_port`: taken when the text names none; without one a missing port is an error.
Result<Address> ParseAddress(std::string_view text, std::optional<std::uint16_t> default_port = std::nullopt);

// Is this a name or literal address of this machine: localhost, *.localhost, 127.0.0.0/8, ::1?
bool IsLoopbackHost(std::string_view host);

}  // namespace tw
