#include "teleport/route.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/duration.h"
#include "base/text.h"
#include "teleport/tcp.h"
#include "teleport/websocket.h"

namespace tw::teleport {
namespace {

using config::Route;

constexpr std::size_t kMaxFindBody = 64UL * 1024;
constexpr char kH2[] = "h2";
constexpr std::chrono::seconds kFindLimit{5};

// Failures that another route may cure; all others would be the same on each.
bool MayBeAnotherRoute(TlsCause cause) {
  return cause == TlsCause::kUntrusted || cause == TlsCause::kWrongName || cause == TlsCause::kAlpn ||
         cause == TlsCause::kOther;
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

Error NotAProxy(const std::string& peer) {
  return {ErrorKind::kUnreachable, fmt::format("{} is not a Teleport proxy", peer), "check teleport.addr",
          true};
}

// The answer to /webapi/find. What stands in front of a proxy may keep the connection open in spite of what
// it was asked, so that its length tells where the body ends.
Result<ProxyFacts> ReadFacts(int fd, const std::string& peer, Waiter& waiter) {
  const auto text = ReadUntil(fd, kEndOfHead, kMaxHttpHead, waiter);
  if (!text) return text.error().kind == ErrorKind::kUnreachable ? NotAProxy(peer) : text.error();
  const auto head = ParseHttpHead(*text);
  if (!head) return NotAProxy(peer);
  std::size_t length = 0;
  const std::string field = head->Get("content-length");
  const auto parsed = std::from_chars(field.data(), field.data() + field.size(), length);
  const bool known = parsed.ec == std::errc() && length <= kMaxFindBody;
  const auto body = known ? ReadCount(fd, length, waiter) : ReadToEnd(fd, kMaxFindBody, waiter);
  if (!body) return body.error();
  auto facts = ParseProxyFacts(*body);
  if (!facts) return NotAProxy(peer);
  if (const auto date = ParseHttpDate(head->Get("date"))) facts->date = *date;
  return *facts;
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

std::string ProxyProtocol(std::string_view cluster) {
  return fmt::format("teleport-auth@{}.{}", HexEncode(cluster), kAuthName);
}

std::optional<ProxyFacts> ParseProxyFacts(std::string_view json) {
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  if (!parsed.is_object() || (!parsed.contains("proxy") && !parsed.contains("server_version")))
    return std::nullopt;
  const auto text = [&](const char* key) {
    const auto found = parsed.find(key);
    return found != parsed.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const nlohmann::json::json_pointer routing("/proxy/tls_routing_enabled");
  const bool routes = parsed.contains(routing) && parsed.at(routing) == nlohmann::json(true);
  return ProxyFacts{text("cluster_name"), text("server_version"), routes, std::nullopt};
}

RouteFinder::RouteFinder(const config::TeleportSettings& settings, Environment environment, Random& random,
                         Logger& log)
    : settings_(settings), environment_(std::move(environment)), random_(random), log_(log) {}

Result<Tunnel> RouteFinder::Connect(Waiter& waiter) {
  const Result<Address> target = TeleportAddress(settings_.addr);
  if (!target) return target.error();
  const auto proxy = ChooseProxy(settings_.proxy_url, *target, environment_);
  if (!proxy) return proxy.error();
  if (!*proxy) {
    Result<UniqueFd> fd = ConnectTcp(*target, waiter);
    if (!fd) return fd.error();
    return Tunnel(std::move(*fd));
  }
  const std::string origin = (*proxy)->Origin();
  Result<UniqueFd> fd = ConnectTcp({(*proxy)->host, (*proxy)->port}, waiter);
  if (!fd) return fd.error().Within("HTTP proxy " + origin);
  if (Status sent = WriteAll(fd->get(), ConnectRequest(*target, **proxy), waiter); !sent)
    return sent.error().Within(origin);
  const auto answer = ReadUntil(fd->get(), kEndOfHead, kMaxHttpHead, waiter);
  if (!answer) return answer.error().Within("HTTP proxy " + origin);
  const auto head = ParseHttpHead(*answer);
  if (!head) return head.error().Within("HTTP proxy " + origin);
  if (head->status / 100 != 2) {
    return Error{
        ErrorKind::kUnreachable,
        fmt::format("the HTTP proxy {} refused a connection to {} with status {}", origin, target->Text(),
                    head->status),
        head->status == 407 ? "put user and password into teleport.proxy_url" : "check teleport.proxy_url",
        true};
  }
  return Tunnel(std::move(*fd));
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
  // HTTP/1.0, so that the answer is never chunked.
  const std::string request = fmt::format(
      "GET /webapi/find HTTP/1.0\r\nHost: {}\r\nAccept: application/json\r\nConnection: close\r\n\r\n",
      target->Text());
  if (Status sent = WriteAll(tunnel->fd(), request, waiter); !sent) return sent.error();
  return ReadFacts(tunnel->fd(), target->Text(), waiter);
}

std::string RouteFinder::ClusterFor(const Credentials& credentials, Waiter& waiter) {
  {
    std::lock_guard lock(mutex_);
    if (!cluster_.empty()) return cluster_;
    if (std::exchange(asked_, true)) return credentials.cluster();
  }
  // Leaves time for the connection itself, should the proxy be slow to tell.
  const auto now = std::chrono::steady_clock::now();
  const auto half = std::max(waiter.deadline() - now, Deadline::duration::zero()) / 2;
  Waiter patience(std::min(now + half, now + kFindLimit), waiter.stop());
  const Result<ProxyFacts> facts = AskProxy(patience);
  if (!facts || facts->cluster.empty()) return credentials.cluster();
  std::lock_guard lock(mutex_);
  // A name that cannot be said in TLS is an error of this dial; the next one asks anew.
  asked_ = ProxyProtocol(facts->cluster).size() <= kLongestProtocol;
  if (asked_) cluster_ = facts->cluster;
  return facts->cluster;
}

Status RouteFinder::Upgrade(Tunnel& tunnel, const Credentials& credentials, Waiter& waiter) {
  const Result<Address> target = TeleportAddress(settings_.addr);
  if (!target) return target.error();
  TlsOptions options;
  options.peer = target->Text();
  options.server_name = target->host;
  options.trust = Trust::kWeb;
  options.credentials = &credentials;
  TlsFailure failure;
  auto tls = TlsConnect(tunnel.TakeEnd(), options, waiter, failure);
  if (!tls) return failure.error;
  if (Status added = tunnel.Add(std::move(tls)); !added) return added.error();
  const UpgradeRequest request = MakeUpgradeRequest(target->Text(), random_);
  if (Status sent = WriteAll(tunnel.fd(), request.text, waiter); !sent) return sent.error();
  const auto answer = ReadUntil(tunnel.fd(), kEndOfHead, kMaxHttpHead, waiter);
  if (!answer) return answer.error().Within("connection upgrade");
  if (Status fine = CheckUpgradeAnswer(*answer, request); !fine) return fine.error();
  return tunnel.Add(MakeWebSocketFarEnd(tunnel.TakeEnd()));
}

RouteFinder::Attempt RouteFinder::Try(Route route, const Credentials& credentials, Waiter& waiter,
                                      TlsFailure& failure) {
  failure.cause = TlsCause::kNetwork;
  TlsOptions options;
  options.peer = settings_.addr;
  options.server_name = kAuthName;
  options.alpn = {kH2};
  options.credentials = &credentials;
  options.show_certificate = true;
  // The route must be the first protocol: a proxy looks at no other.
  if (route != Route::kAuth) options.alpn = {ProxyProtocol(ClusterFor(credentials, waiter)), kH2};
  Result<Tunnel> tunnel = Connect(waiter);
  if (!tunnel) return tunnel.error();
  if (route == Route::kProxyUpgrade) {
    if (Status upgraded = Upgrade(*tunnel, credentials, waiter); !upgraded) return upgraded.error();
  }
  auto tls = TlsConnect(tunnel->TakeEnd(), options, waiter, failure);
  if (!tls) return failure.error;
  if (Status added = tunnel->Add(std::move(tls)); !added) return added.error();
  return Dialled{std::move(*tunnel), route};
}

void RouteFinder::Remember(Route route) {
  std::lock_guard lock(mutex_);
  if (known_ != route && settings_.route == Route::kAuto) {
    log_.Info("found the way to Teleport", {{"addr", settings_.addr}, {"route", RouteName(route)}});
  }
  known_ = route;
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

// Asks the address for each kind of service in turn. The first error is the one that is told, unless the
// address turns out to be a Teleport proxy: then the proxy's own.
RouteFinder::Attempt RouteFinder::Search(const Credentials& credentials, Waiter& waiter) {
  TlsFailure first;
  Attempt attempt = Try(Route::kAuth, credentials, waiter, first);
  if (attempt || !MayBeAnotherRoute(first.cause)) return attempt;
  TlsFailure second;
  Attempt through_proxy = Try(Route::kProxy, credentials, waiter, second);
  if (through_proxy || !MayBeAnotherRoute(second.cause)) return through_proxy;
  const Result<ProxyFacts> facts = AskProxy(waiter);
  if (!facts) return attempt;
  TlsFailure third;
  Attempt upgraded = Try(Route::kProxyUpgrade, credentials, waiter, third);
  if (upgraded || facts->tls_routing) return upgraded;
  return NoTlsRouting(settings_.addr, *facts);
}

Result<Dialled> RouteFinder::Dial(const Credentials& credentials, Waiter& waiter) {
  std::optional<Route> route;
  if (settings_.route != Route::kAuto) {
    route = settings_.route;
  } else {
    std::lock_guard lock(mutex_);
    route = known_;
  }
  TlsFailure failure;
  Attempt attempt = route ? Try(*route, credentials, waiter, failure) : Search(credentials, waiter);
  if (!attempt && settings_.route == Route::kProxy && MayBeAnotherRoute(failure.cause))
    return ExplainProxy(attempt.error(), waiter);
  if (attempt) {
    Remember(attempt->route);
  } else if (route && settings_.route == Route::kAuto && failure.cause != TlsCause::kNetwork) {
    std::lock_guard lock(mutex_);  // the address may have become another service: look again at the next dial
    known_.reset();
    cluster_.clear();
    asked_ = false;
  }
  return attempt;
}

}  // namespace tw::teleport
