#include "callback/client_address.h"

#include "base/text.h"
#include "callback/headers.h"

namespace tw::callback {
namespace {

// Some proxies add the port: "192.0.2.1:4711", "[2001:db8::1]:4711".
std::optional<AddressBytes> ParseHop(std::string_view text) {
  if (const auto plain = ParseNumeric(text)) return plain;
  if (text.starts_with('[')) return ParseNumeric(text.substr(1, text.find(']') - 1));
  return ParseNumeric(text.substr(0, text.find(':')));
}

}  // namespace

Client FindClient(const HttpRequest& request, const AddressSet& trusted) {
  Client out{request.peer, request.tls};
  const bool by_proxy = request.peer == "unix" ? !trusted.empty() : trusted.Contains(request.peer);
  if (!by_proxy) return out;
  if (const auto protocol = FindHeader(request, "x-forwarded-proto");
      protocol && AsciiLower(Trim(*protocol)) == "https") {
    out.secure = true;
  }
  std::vector<std::string_view> hops;
  for (const std::string_view line : FindHeaders(request, "x-forwarded-for")) {
    for (const std::string_view hop : Split(line, ',')) hops.push_back(Trim(hop));
  }
  for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
    const auto parsed = ParseHop(*hop);
    if (!parsed) break;  // not ours to guess what it means
    out.address = FormatNumeric(*parsed);
    if (!trusted.Contains(out.address)) break;
  }
  return out;
}

std::string ClientKey(std::string_view address) {
  const auto parsed = ParseNumeric(address);
  return parsed ? FormatNumeric(HostPart(*parsed)) : std::string(address);
}

}  // namespace tw::callback
