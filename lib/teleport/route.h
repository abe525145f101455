// Routes: the ways to an Auth Service, and finding out which one an address needs (reference page
// sections 5.1, 5.4 to 5.7). Every dial ends in one TLS connection with the Auth Service itself, verified
// against the host CAs only.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/log.h"
#include "base/random.h"
#include "config/settings.h"
#include "teleport/credentials.h"
#include "teleport/http_text.h"
#include "teleport/tls.h"
#include "teleport/tunnel.h"

namespace tw::teleport {

// "auth", "proxy", "proxy-upgrade"; kAuto: "auto".
std::string_view RouteName(config::Route route);

// The name that every Auth Service's certificate holds.
inline constexpr char kAuthName[] = "teleport.cluster.local";
// Tells a proxy which cluster's Auth Service is meant: teleport-auth@<hex cluster>.teleport.cluster.local
std::string ProxyProtocol(std::string_view cluster);

struct Dialled {
  Tunnel tunnel;
  config::Route route = config::Route::kAuth;
};

// What the proxy says of itself without a login.
struct ProxyFacts {
  std::string cluster;  // empty before 10.0
  std::string server_version;
  bool tls_routing = false;        // hands connections on by ALPN (from 8.0, where it is switched on)
  std::optional<SystemTime> date;  // the clock of whoever answered
};
// Reads the body of /webapi/find. Nullopt when it is not one.
std::optional<ProxyFacts> ParseProxyFacts(std::string_view json);

// Dials; remembers the route it found until that one fails. Safe for use from any thread.
class RouteFinder {
 public:
  RouteFinder(const config::TeleportSettings& settings, Environment environment, Random& random, Logger& log);

  Result<Dialled> Dial(const Credentials& credentials, Waiter& waiter);
  // GET /webapi/find at the configured address; nobody's certificate is believed for it.
  Result<ProxyFacts> AskProxy(Waiter& waiter);

 private:
  using Attempt = Result<Dialled>;
  // `failure` tells why an attempt failed.
  Attempt Try(config::Route route, const Credentials& credentials, Waiter& waiter, TlsFailure& failure);
  Attempt Search(const Credentials& credentials, Waiter& waiter);
  Result<Tunnel> Connect(Waiter& waiter);
  Status Upgrade(Tunnel& tunnel, const Credentials& credentials, Waiter& waiter);
  std::string ClusterFor(const Credentials& credentials, Waiter& waiter);
  void Remember(config::Route route);
  // Says more of why the way through a proxy failed, from what the proxy says of itself.
  Error ExplainProxy(const Error& error, Waiter& waiter);

  const config::TeleportSettings settings_;
  const Environment environment_;
  Random& random_;
  Logger& log_;
  std::mutex mutex_;
  std::optional<config::Route> known_;
  std::string cluster_;  // from the proxy; empty: not asked, or it did not say
  bool asked_ = false;
};

}  // namespace tw::teleport
