#include "base/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/network.h"
#include "base/text.h"

namespace tw {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

bool IsIpv6(const std::string& host) {
  return host.find(':') != std::string::npos && ParseNumeric(host);
}

bool IsHostName(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

// "0x7f.1", "2130706433" and "127.1" are other spellings of an IPv4 address to some resolvers, and names to
// others: what a check saw would not be what is connected to. RFC 1123 section 2.1: the last label of a name
// is alphabetic.
bool IsOddIpv4(const std::string& host) {
  std::string_view name = host;
  if (name.ends_with('.')) name.remove_suffix(1);
  const std::string_view last = name.substr(name.rfind('.') + 1);
  const bool number =
      last.starts_with("0x") || last.find_first_not_of("0123456789") == std::string_view::npos;
  return number && !ParseNumeric(host);
}

std::optional<std::uint16_t> ParsePort(std::string_view text, std::uint32_t least) {
  std::uint32_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || port < least ||
      port > 65535)
    return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

// Splits "host", "host:port", "[v6]", "[v6]:port"; false when it is none of these.
bool SplitHostPort(std::string_view text, std::string& host, std::optional<std::string_view>& port) {
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return false;
    host = AsciiLower(text.substr(1, close - 1));
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest[0] != ':') return false;
    if (!rest.empty()) port = rest.substr(1);
    return IsIpv6(host);
  }
  const auto colon = text.find(':');
  host = AsciiLower(text.substr(0, colon));
  if (colon != std::string_view::npos) port = text.substr(colon + 1);
  return true;
}

std::string Bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

std::string Url::Origin() const {
  const bool usual = port == (https() ? kHttpsPort : kHttpPort);
  return usual ? fmt::format("{}://{}", scheme, Bracketed(host))
               : fmt::format("{}://{}:{}", scheme, Bracketed(host), port);
}

std::string Url::Redacted() const {
  return Origin() + (target == "/" ? "/" : "/***");
}

std::string Url::WithoutUserInfo() const {
  return explicit_port ? fmt::format("{}://{}:{}{}", scheme, Bracketed(host), port, target)
                       : fmt::format("{}://{}{}", scheme, Bracketed(host), target);
}

std::string PercentDecode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '%' ? HexDecode(text.substr(i + 1, 2)) : std::nullopt;
    if (byte && byte->size() == 1) {
      out += *byte;
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

Result<Url> ParseUrl(std::string_view text) {
  // The text itself stays out of the message: it may hold a password or a secret path.
  const auto bad = [](std::string_view why) {
    return Error::Usage(fmt::format("not a usable URL: {}", why), "write https://host/path");
  };
  if (std::any_of(text.begin(), text.end(),
                  [](char c) { return c <= ' ' || c > '~' || c == '\\' || c == '"'; })) {
    return bad("it holds a blank, a control character or a character outside ASCII");
  }
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) return bad("it does not start with https:// or http://");
  Url url;
  url.scheme = AsciiLower(text.substr(0, colon));
  if (url.scheme != "https" && url.scheme != "http") return bad("the scheme is neither https nor http");
  std::string_view rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));
  const auto path = rest.find_first_of("/?");
  std::string_view authority = rest.substr(0, path);
  url.target = path == std::string_view::npos ? "/" : std::string(rest.substr(path));
  if (url.target[0] == '?') url.target.insert(0, "/");
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view info = authority.substr(0, at);
    const auto split = info.find(':');
    url.user = PercentDecode(info.substr(0, split));
    if (split != std::string_view::npos) url.password = Secret(PercentDecode(info.substr(split + 1)));
    authority.remove_prefix(at + 1);
  }
  std::optional<std::string_view> port;
  if (!SplitHostPort(authority, url.host, port) || (!IsHostName(url.host) && !IsIpv6(url.host)))
    return bad("the host is missing or malformed");
  if (IsOddIpv4(url.host)) return bad("the host is a number, but not an IPv4 address of four parts");
  url.port = url.https() ? kHttpsPort : kHttpPort;
  if (port) {
    const auto number = ParsePort(*port, 1);
    if (!number) return bad("the port is not a number from 1 to 65535");
    url.port = *number;
    url.explicit_port = true;
  }
  return url;
}

std::string Address::Text() const {
  return fmt::format("{}:{}", Bracketed(host), port);
}

Result<Address> ParseAddress(std::string_view text, std::optional<std::uint16_t> default_port) {
  const auto bad = [&](std::string_view why) {
    // What stands in front of an @ may be a password.
    const auto at = text.rfind('@');
    const std::string shown =
        at == std::string_view::npos ? EscapeControls(text) : "***@" + EscapeControls(text.substr(at + 1));
    return Error::Usage(fmt::format("\"{}\" is not an address: {}", shown, why), "write host:port");
  };
  if (text.find("://") != std::string_view::npos) return bad("it is a URL");
  Address address;
  std::optional<std::string_view> port;
  if (!SplitHostPort(text, address.host, port)) return bad("malformed brackets");
  if (!address.host.empty() && !IsHostName(address.host) && !IsIpv6(address.host))
    return bad("the host is malformed");
  if (!port) {
    if (!default_port || address.host.empty()) return bad("the port is missing");
    address.port = *default_port;
    return address;
  }
  const auto number = ParsePort(*port, 0);
  if (!number) return bad("the port is not a number from 0 to 65535");
  address.port = *number;
  return address;
}

bool IsLoopbackHost(std::string_view host) {
  const std::string name = AsciiLower(host);
  if (name == "localhost" || name.ends_with(".localhost")) return true;
  const auto address = ParseNumeric(name);
  return address && IsLoopback(*address);
}

}  // namespace tw
