// Where a person looks at an access request.
#pragma once

#include <string>
#include <string_view>

namespace tw::access {

// `proxy_address`: host:port of the proxy, as Ping tells it. Empty without one.
inline std::string WebUrl(std::string_view proxy_address, std::string_view request_id) {
  if (proxy_address.empty()) return {};
  constexpr std::string_view kHttpsPort = ":443";  // goes without saying
  if (proxy_address.ends_with(kHttpsPort)) proxy_address.remove_suffix(kHttpsPort.size());
  return std::string("https://").append(proxy_address).append("/web/requests/").append(request_id);
}

}  // namespace tw::access
