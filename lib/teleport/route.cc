#include "teleport/route.h"

#include <fmt/format.h>

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
  return ProxyFacts{text("cluster_name"), text("server_version"), std::nullopt};
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
  // HTTP/1.0, so that the answer ends with the connection and is never chunked.
  const std::string request = fmt::format(
      "GET /webapi/find HTTP/1.0\r\nHost: {}\r\nAccept: application/json\r\n\r\n", target->Text());
  if (Status sent = WriteAll(tunnel->fd(), request, waiter); !sent) return sent.error();
  const auto answer = ReadToEnd(tunnel->fd(), kMaxFindBody, waiter);
  if (!answer) return answer.error();
  const std::size_t body = answer->find(kEndOfHead);
  auto facts =
      body == std::string::npos ? std::nullopt : ParseProxyFacts(std::string_view(*answer).substr(body + 4));
  if (!facts) {
    return Error{ErrorKind::kUnreachable, fmt::format("{} is not a Teleport proxy", target->Text()),
                 "check teleport.addr", true};
  }
  if (const auto head = ParseHttpHead(*answer)) {
    if (const auto date = ParseHttpDate(head->Get("date"))) facts->date = *date;
  }
  return *facts;
}

std::string RouteFinder::ClusterFor(const Credentials& credentials, Waiter& waiter) {
  {
    std::lock_guard lock(mutex_);
    if (!cluster_.empty()) return cluster_;
    if (std::exchange(asked_, true)) return credentials.cluster();
  }
  const Result<ProxyFacts> facts = AskProxy(waiter);
  if (!facts || facts->cluster.empty()) return credentials.cluster();
  std::lock_guard lock(mutex_);
  return cluster_ = facts->cluster;
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
  return Try(Route::kProxyUpgrade, credentials, waiter, third);
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
