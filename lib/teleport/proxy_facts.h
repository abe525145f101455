// What a Teleport proxy says of itself without a login: GET /webapi/find (reference page section 5.7).
// Nothing of it is verified, so nothing that matters may rest on it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "teleport/wait.h"

namespace tw::teleport {

struct ProxyFacts {
  std::string cluster;  // empty before 10.0
  std::string server_version;
  bool tls_routing = false;        // hands connections on by ALPN (from 8.0, where it is switched on)
  std::optional<SystemTime> date;  // the clock of whoever answered
};

// Reads the body of /webapi/find. Nullopt when it is not one.
std::optional<ProxyFacts> ParseProxyFacts(std::string_view json);

// Asks over a connection to the proxy `peer` (host:port). Errors: kUnreachable when it is no Teleport proxy,
// and those of Waiter.
Result<ProxyFacts> AskForFacts(int fd, const std::string& peer, Waiter& waiter);

}  // namespace tw::teleport
