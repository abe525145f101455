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
#include "teleport/proxy_facts.h"
#include "teleport/tls.h"
#include "teleport/tunnel.h"

namespace tw::teleport {

// "auth", "proxy", "proxy-upgrade"; kAuto: "auto".
std::string_view RouteName(config::Route route);

// The name that every Auth Service's certificate holds.
inline constexpr char kAuthName[] = "teleport.cluster.local";
// Tells a proxy which cluster's Auth Service is meant: teleport-auth@<hex cluster>.teleport.cluster.local
std::string ProxyProtocol(std::string_view cluster);

// One way in. All but kAuth name the cluster to the proxy's router.
struct Way {
  config::Route route = config::Route::kAuth;
  std::string cluster = {};
  bool cluster_from_proxy = false;  // else from the client certificate
};
// Where the cluster's name is from: "proxy" or "certificate".
std::string_view ClusterOrigin(const Way& way);

struct Dialled {
  Tunnel tunnel;
  Way way;
};

// Dials; remembers what led to an Auth Service. Safe for use from any thread.
class RouteFinder {
 public:
  RouteFinder(const config::TeleportSettings& settings, Environment environment, Random& random, Logger& log);

  Result<Dialled> Dial(const Credentials& credentials, Waiter& waiter);
  // GET /webapi/find at the configured address; nobody's certificate is believed for it.
  Result<ProxyFacts> AskProxy(Waiter& waiter);

 private:
  using Attempt = Result<Dialled>;
  // `failure` tells why an attempt failed.
  Attempt Try(const Way& way, const Credentials& credentials, Waiter& waiter, TlsFailure& failure);
  // The direct way first; others only where its failure lets hope for one.
  Attempt Search(const Credentials& credentials, Waiter& waiter);
  Attempt TryOthers(const Attempt& direct, TlsCause cause, const Credentials& credentials, Waiter& waiter);
  // What the last search in vain concluded, while it is too early for another one.
  std::optional<Error> StillInVain();
  Result<Tunnel> Connect(Waiter& waiter);
  Result<Tunnel> ConnectThrough(const HttpProxy& proxy, const Address& target, Waiter& waiter);
  Status Upgrade(Tunnel& tunnel, const Credentials& credentials, Waiter& waiter, TlsFailure& failure);
  // As AskProxy, but leaves time for the connection itself, should the proxy be slow to tell.
  Result<ProxyFacts> AskBriefly(Waiter& waiter);
  // The forced route; nullopt when there is none and none is remembered.
  std::optional<Way> KnownWay(const Credentials& credentials, Waiter& waiter);
  void Remember(const Way& way);
  void ForgetCluster();
  // Says more of why the way through a proxy failed, from what the proxy says of itself.
  Error ExplainProxy(const Error& error, Waiter& waiter);

  const config::TeleportSettings settings_;
  const Environment environment_;
  Random& random_;
  Logger& log_;
  std::mutex mutex_;
  std::optional<Way> known_;
  std::optional<Error> in_vain_;  // of the last search, when it led nowhere
  int dials_since_ = 0;
};

}  // namespace tw::teleport
