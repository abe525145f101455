#include "teleport/route.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "teleport/tcp.h"
#include "teleport/websocket.h"

namespace tw::teleport {
namespace {

using config::Route;

constexpr char kH2[] = "h2";
constexpr std::chrono::seconds kFindLimit{5};
// After a search in vain only every fourth dial asks for other services again: a search takes several
// connections, and whoever waits for Teleport to come back should not knock more often than it helps.
constexpr int kDialsASearch = 4;

// Failures that another route may cure; all others would be the same on each.
bool MayBeAnotherRoute(TlsCause cause) {
  return cause == TlsCause::kUntrusted || cause == TlsCause::kWrongName || cause == TlsCause::kAlpn ||
         cause == TlsCause::kClosed || cause == TlsCause::kUpgrade || cause == TlsCause::kOther;
}

Result<Address> TeleportAddress(const std::string& text) {
  Result<Address> address = ParseAddress(text);
  if (!address)
    return Error::Config(fmt::format("teleport.addr \"{}\": {}", text, address.error().message),
                         "write host:port");
  return address;
}

Error NoTlsRouting(const std::string& addr, const ProxyFacts& facts) {
  return {ErrorKind::kUnreachable,
          fmt::format("{} is the web port of a Teleport {} proxy without TLS routing, so that no way leads "
                      "through it to the Auth Service",
                      addr, EscapeControls(facts.server_version)),
          "set teleport.addr to the Auth Service (port 3025); TLS routing came with Teleport 8.0 and needs "
          "proxy_listener_mode: multiplex",
          true};
}

Way ThroughProxy(Route route, const Result<ProxyFacts>& facts, const Credentials& credentials) {
  const bool told = facts && !facts->cluster.empty();
  return {route, told ? facts->cluster : credentials.cluster(), told};
}

// The entrance is there, and what lies behind it is not.
Error NothingBehind(const std::string& addr, const Way& way, Error error) {
  error.hint = "is the Auth Service up? The log of the Teleport proxy says why it cannot reach it";
  return error.Within(fmt::format("no way through {} to the Auth Service of cluster {}", addr, way.cluster));
}

// An error of the way to or through an HTTP proxy, which is named elsewhere than teleport.addr.
Error BySetting(Error error, const HttpProxy& proxy) {
  if (error.kind == ErrorKind::kCancelled) return error;
  if (error.kind == ErrorKind::kTimeout) error.message = "no answer in time";
  error.kind = ErrorKind::kUnreachable;
  error.hint = fmt::format("check {}", proxy.setting);
  return error.Within("HTTP proxy " + proxy.url.Origin());
}

}  // namespace

std::string_view RouteName(Route route) {
  switch (route) {
    case Route::kAuth:
      return "auth";
    case Route::kProxy:
      return "proxy";
    case Route::kProxyUpgrade:
      return "proxy-upgrade";
    default:
      return "auto";
  }
}

std::string_view ClusterOrigin(const Way& way) {
  return way.cluster_from_proxy ? "proxy" : "certificate";
}

std::string ProxyProtocol(std::string_view cluster) {
  return fmt::format("teleport-auth@{}.{}", HexEncode(cluster), kAuthName);
}

RouteFinder::RouteFinder(const config::TeleportSettings& settings, Environment environment, Random& random,
                         Logger& log)
    : settings_(settings), environment_(std::move(environment)), random_(random), log_(log) {}

Result<Tunnel> RouteFinder::Connect(Waiter& waiter) {
  const Result<Address> target = TeleportAddress(settings_.addr);
  if (!target) return target.error();
  const auto proxy = ChooseProxy(settings_.proxy_url, *target, environment_);
  if (!proxy) return proxy.error();
  if (*proxy) return ConnectThrough(**proxy, *target, waiter);
  Result<UniqueFd> fd = ConnectTcp(*target, waiter);
  if (!fd) return fd.error();
  return Tunnel(std::move(*fd));
}

Result<Tunnel> RouteFinder::ConnectThrough(const HttpProxy& proxy, const Address& target, Waiter& waiter) {
  Result<UniqueFd> fd = ConnectTcp({proxy.url.host, proxy.url.port}, waiter);
  if (!fd) return BySetting(fd.error(), proxy);
  Tunnel tunnel(std::move(*fd));
  if (proxy.url.https()) {
    TlsOptions options;
    options.peer = proxy.url.Origin();
    options.server_name = proxy.url.host;
    options.alpn = {"http/1.1"};
    options.trust = Trust::kWeb;
    TlsFailure failure;
    auto tls = TlsConnect(tunnel.TakeEnd(), options, waiter, failure);
    if (!tls) return failure.error;
    if (Status added = tunnel.Add(std::move(tls)); !added) return added.error();
  }
  if (Status sent = WriteAll(tunnel.fd(), ConnectRequest(target, proxy.url), waiter); !sent)
    return BySetting(sent.error(), proxy);
  const auto answer = ReadUntil(tunnel.fd(), kEndOfHead, kMaxHttpHead, waiter);
  if (!answer) return BySetting(answer.error(), proxy);
  const auto head = ParseHttpHead(*answer);
  if (!head) return BySetting(head.error(), proxy);
  if (head->status / 100 == 2) return tunnel;
  return Error{ErrorKind::kUnreachable,
               fmt::format("the HTTP proxy {} refused a connection to {} with status {}", proxy.url.Origin(),
                           target.Text(), head->status),
               (head->status == 407 ? "put user and password into " : "check ") + proxy.setting, true};
}

Result<ProxyFacts> RouteFinder::AskProxy(Waiter& waiter) {
  const Result<Address> target = TeleportAddress(settings_.addr);
  if (!target) return target.error();
  Result<Tunnel> tunnel = Connect(waiter);
  if (!tunnel) return tunnel.error();
  TlsOptions options;
  options.peer = target->Text();
  options.server_name = target->host;
  options.alpn = {"http/1.1"};
  options.trust = Trust::kAnyCertificate;
  TlsFailure failure;
  auto tls = TlsConnect(tunnel->TakeEnd(), options, waiter, failure);
  if (!tls) return failure.error;
  if (Status added = tunnel->Add(std::move(tls)); !added) return added.error();
  return AskForFacts(tunnel->fd(), target->Text(), waiter);
}

Result<ProxyFacts> RouteFinder::AskBriefly(Waiter& waiter) {
  const auto now = std::chrono::steady_clock::now();
  const auto half = std::max(waiter.deadline() - now, Deadline::duration::zero()) / 2;
  Waiter patience(std::min(now + half, now + kFindLimit), waiter.stop());
  return AskProxy(patience);
}

Status RouteFinder::Upgrade(Tunnel& tunnel, const Credentials& credentials, Waiter& waiter,
                            TlsFailure& failure) {
  const Result<Address> target = TeleportAddress(settings_.addr);
  if (!target) return target.error();
  TlsOptions options;
  options.peer = target->Text();
  options.server_name = target->host;
  options.trust = Trust::kWeb;
  options.credentials = &credentials;
  auto tls = TlsConnect(tunnel.TakeEnd(), options, waiter, failure);
  if (!tls) return failure.error;
  if (Status added = tunnel.Add(std::move(tls)); !added) return added.error();
  const UpgradeRequest request = MakeUpgradeRequest(target->Text(), random_);
  if (Status sent = WriteAll(tunnel.fd(), request.text, waiter); !sent) return sent.error();
  const auto answer = ReadUntil(tunnel.fd(), kEndOfHead, kMaxHttpHead, waiter);
  const std::string where = "connection upgrade at " + target->Text();
  if (!answer) {
    if (answer.error().kind == ErrorKind::kUnreachable) failure.cause = TlsCause::kUpgrade;
    return answer.error().Within(where);
  }
  if (Status fine = CheckUpgradeAnswer(*answer, request); !fine) {
    failure.cause = TlsCause::kUpgrade;
    return fine.error().Within(where);
  }
  return tunnel.Add(MakeWebSocketFarEnd(tunnel.TakeEnd()));
}

RouteFinder::Attempt RouteFinder::Try(const Way& way, const Credentials& credentials, Waiter& waiter,
                                      TlsFailure& failure) {
  failure.cause = TlsCause::kNetwork;
  TlsOptions options;
  options.peer = settings_.addr;
  options.server_name = kAuthName;
  options.alpn = {kH2};
  options.credentials = &credentials;
  options.show_certificate = true;
  // The route must be the first protocol: a proxy looks at no other.
  if (way.route != Route::kAuth) options.alpn = {ProxyProtocol(way.cluster), kH2};
  Result<Tunnel> tunnel = Connect(waiter);
  if (!tunnel) return tunnel.error();
  if (way.route == Route::kProxyUpgrade) {
    if (Status upgraded = Upgrade(*tunnel, credentials, waiter, failure); !upgraded) return upgraded.error();
  }
  auto tls = TlsConnect(tunnel->TakeEnd(), options, waiter, failure);
  if (!tls) {
    // The layer that ended first knows why; the one inside it saw only the end.
    const auto why = tunnel->why();
    if (failure.cause != TlsCause::kClosed) return failure.error;
    const Error closed = why ? *why : failure.error;
    return way.route == Route::kAuth ? closed : NothingBehind(settings_.addr, way, closed);
  }
  if (Status added = tunnel->Add(std::move(tls)); !added) return added.error();
  Remember(way);
  return Dialled{std::move(*tunnel), way};
}

void RouteFinder::Remember(const Way& way) {
  std::lock_guard lock(mutex_);
  in_vain_.reset();
  const bool news = !known_ || known_->route != way.route || known_->cluster != way.cluster;
  known_ = way;
  if (!news || (settings_.route != Route::kAuto && way.route == Route::kAuth)) return;
  std::vector<LogField> fields{{"addr", settings_.addr}, {"route", RouteName(way.route)}};
  if (way.route != Route::kAuth) {
    fields.emplace_back("cluster", way.cluster);
    fields.emplace_back("cluster_name_from", ClusterOrigin(way));
  }
  log_.Write(LogLevel::kInfo, "found the way to Teleport", fields);
}

void RouteFinder::ForgetCluster() {
  std::lock_guard lock(mutex_);
  known_.reset();
}

std::optional<Way> RouteFinder::KnownWay(const Credentials& credentials, Waiter& waiter) {
  {
    std::lock_guard lock(mutex_);
    if (known_) return known_;
  }
  if (settings_.route == Route::kAuto) return std::nullopt;
  if (settings_.route == Route::kAuth) return Way{};
  const Result<ProxyFacts> facts = AskBriefly(waiter);
  return ThroughProxy(settings_.route, facts, credentials);
}

Error RouteFinder::ExplainProxy(const Error& error, Waiter& waiter) {
  const Result<ProxyFacts> facts = AskProxy(waiter);
  if (!facts) return error;
  if (!facts->tls_routing) return NoTlsRouting(settings_.addr, *facts);
  return {ErrorKind::kUnreachable,
          fmt::format("{} is the web port of a Teleport {} proxy, but something in between ends the TLS "
                      "connection on its way to the Auth Service: {}",
                      settings_.addr, EscapeControls(facts->server_version), error.message),
          "set teleport.route = \"proxy-upgrade\" (or \"auto\")", true};
}

std::optional<Error> RouteFinder::StillInVain() {
  std::lock_guard lock(mutex_);
  if (!in_vain_ || ++dials_since_ >= kDialsASearch) return std::nullopt;
  return in_vain_;
}

RouteFinder::Attempt RouteFinder::Search(const Credentials& credentials, Waiter& waiter) {
  TlsFailure failure;
  Attempt direct = Try({}, credentials, waiter, failure);
  if (direct || !MayBeAnotherRoute(failure.cause)) return direct;
  if (const auto error = StillInVain()) return *error;
  Attempt other = TryOthers(direct, failure.cause, credentials, waiter);
  // Cut short is not in vain.
  if (!other && other.error().kind != ErrorKind::kCancelled && other.error().kind != ErrorKind::kTimeout) {
    std::lock_guard lock(mutex_);
    in_vain_ = other.error();
    dials_since_ = 0;
  }
  return other;
}

// Asks the address for each kind of service in turn. The direct way's error is the one that is told, unless
// the address turns out to be a Teleport proxy: then the proxy's own.
RouteFinder::Attempt RouteFinder::TryOthers(const Attempt& direct, TlsCause cause,
                                            const Credentials& credentials, Waiter& waiter) {
  const Result<ProxyFacts> facts = AskBriefly(waiter);
  if (!facts && cause == TlsCause::kClosed) return direct.error();  // it closes whatever is asked
  TlsFailure second;
  Attempt through_proxy = Try(ThroughProxy(Route::kProxy, facts, credentials), credentials, waiter, second);
  if (through_proxy || !MayBeAnotherRoute(second.cause)) return through_proxy;
  if (!facts) return direct.error();
  TlsFailure third;
  Attempt upgraded = Try(ThroughProxy(Route::kProxyUpgrade, facts, credentials), credentials, waiter, third);
  if (upgraded || facts->tls_routing) return upgraded;
  return NoTlsRouting(settings_.addr, *facts);
}

Result<Dialled> RouteFinder::Dial(const Credentials& credentials, Waiter& waiter) {
  const std::optional<Way> known = KnownWay(credentials, waiter);
  const bool begins_there = known && known->route == Route::kAuth && settings_.route == Route::kAuto;
  if (!known || begins_there) return Search(credentials, waiter);
  TlsFailure failure;
  Attempt attempt = Try(*known, credentials, waiter, failure);
  if (attempt || !MayBeAnotherRoute(failure.cause)) return attempt;
  if (settings_.route == Route::kAuto) {
    // The address may have become another service. If not, the way that once worked knows best what is wrong.
    Attempt other = Search(credentials, waiter);
    return other ? std::move(other) : std::move(attempt);
  }
  ForgetCluster();
  if (settings_.route == Route::kProxy && failure.cause != TlsCause::kClosed)
    return ExplainProxy(attempt.error(), waiter);
  return attempt;
}

}  // namespace tw::teleport
