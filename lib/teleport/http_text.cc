#include "teleport/http_text.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <vector>

#include "base/network.h"
#include "base/text.h"

namespace tw::teleport {
namespace {

bool EntryCovers(std::string_view entry, const Address& target, const std::string& host) {
  if (entry == "*") return true;
  if (const auto range = AddressRange::Parse(entry)) {
    const auto address = ParseNumeric(host);
    return address && range->Contains(*address);
  }
  const std::size_t colon = entry.rfind(':');
  if (colon != std::string_view::npos) {
    if (entry.substr(colon + 1) != std::to_string(target.port)) return false;
    entry = entry.substr(0, colon);
  }
  std::string name = AsciiLower(entry);
  if (name.starts_with("*.")) name.erase(0, 1);
  if (name.starts_with('.')) return host.ends_with(name);
  return host == name || host.ends_with("." + name);
}

}  // namespace

std::string HttpHead::Get(const std::string& name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string() : found->second;
}

Result<HttpHead> ParseHttpHead(std::string_view text) {
  HttpHead out;
  const std::size_t end = text.find("\r\n");
  const std::string_view first = text.substr(0, end);
  // "HTTP/1.1 200 OK": one digit of a version, a blank, three digits of a status.
  const std::string_view code =
      first.starts_with("HTTP/1.") && first.size() >= 12 && first[8] == ' ' ? first.substr(9, 3) : "";
  const bool number =
      code.size() == 3 && code[0] != '0' && code.find_first_not_of("0123456789") == std::string_view::npos;
  if (!number || std::from_chars(code.data(), code.data() + code.size(), out.status).ec != std::errc()) {
    return Error{ErrorKind::kUnreachable, "the answer is not HTTP", {}, true};
  }
  for (const std::string_view line :
       Split(text.substr(end == std::string_view::npos ? text.size() : end + 2), '\n')) {
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos)
      out.fields[AsciiLower(line.substr(0, colon))] = std::string(Trim(line.substr(colon + 1)));
  }
  return out;
}

std::string ProcessEnvironment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody changes the environment
  return value == nullptr ? std::string() : std::string(value);
}

bool NoProxyCovers(std::string_view list, const Address& target) {
  const std::string host = AsciiLower(target.host);
  for (const std::string_view raw : Split(list, ',')) {
    const std::string_view entry = Trim(raw);
    if (!entry.empty() && EntryCovers(entry, target, host)) return true;
  }
  return false;
}

Result<std::optional<HttpProxy>> ChooseProxy(const std::string& configured, const Address& target,
                                             const Environment& environment) {
  std::string text = configured;
  std::string setting = "teleport.proxy_url";
  if (text.empty()) {
    const auto either = [&](const char* lower, const char* upper) {
      const std::string value = environment(lower);
      return value.empty() ? environment(upper) : value;
    };
    text = either("https_proxy", "HTTPS_PROXY");
    setting = "HTTPS_PROXY";
    if (text.empty() || target.host.empty() || IsLoopbackHost(target.host) ||
        NoProxyCovers(either("no_proxy", "NO_PROXY"), target)) {
      return std::optional<HttpProxy>();
    }
  }
  if (text.find("://") == std::string::npos) text = "http://" + text;
  Result<Url> url = ParseUrl(text);
  if (!url) return Error::Config(fmt::format("{} is not a proxy URL", setting), "write http://host:port");
  return std::optional(HttpProxy{std::move(*url), std::move(setting)});
}

std::string ConnectRequest(const Address& target, const Url& proxy) {
  std::string out = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", target.Text());
  if (!proxy.user.empty()) {
    out += fmt::format("Proxy-Authorization: Basic {}\r\n",
                       Base64Encode(fmt::format("{}:{}", proxy.user, proxy.password.Reveal())));
  }
  return out + "\r\n";
}

}  // namespace tw::teleport
