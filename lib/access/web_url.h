// Where a person looks at an access request.
#pragma once

#include <string>

namespace tw::access {

// `proxy_address`: host:port of the proxy, as Ping tells it. Empty without one.
inline std::string WebUrl(const std::string& proxy_address, const std::string& request_id) {
  return proxy_address.empty() ? std::string() : "https://" + proxy_address + "/web/requests/" + request_id;
}

}  // namespace tw::access
