#include "callback/callback_handler.h"

#include <algorithm>
#include <utility>

#include "access/event_json.h"
#include "base/text.h"
#include "callback/callback_call.h"
#include "callback/headers.h"
#include "callback/policy.h"

namespace tw::callback {
namespace {

constexpr std::chrono::minutes kUnbounded{1};  // for requests without a deadline, as tests may make them

Answer TooMany(std::chrono::seconds wait) {
  Answer out = Refusal(429, "rate_limited", "too many requests; try again later");
  out.response.headers.emplace_back("Retry-After", std::to_string(wait.count()));
  return out;
}

std::string_view DecisionWord(const std::optional<access::RequestState>& decision) {
  if (!decision) return {};
  return *decision == access::RequestState::kApproved ? "approve" : "deny";
}

}  // namespace

CallbackHandler::CallbackHandler(HandlerPorts ports)
    : ports_(ports),
      clients_(std::nullopt),
      callers_(std::nullopt),
      replays_(ports.replay, ports.clock, ports.log),
      attempts_(ports.audit, ports.clock, ports.log) {}

Result<std::unique_ptr<CallbackHandler>> CallbackHandler::Make(const config::HttpSettings& http,
                                                               const config::CallbackSettings& callback,
                                                               HandlerPorts ports) {
  std::unique_ptr<CallbackHandler> out(new CallbackHandler(ports));
  if (Status loaded = out->Reload(http, callback); !loaded) return loaded.error();
  return out;
}

Result<std::shared_ptr<const CallbackHandler::Rules>> CallbackHandler::MakeRules(
    const config::HttpSettings& http, const config::CallbackSettings& callback) {
  if (auto problem = StartupProblem(http, callback)) return *problem;
  auto authenticator = Authenticator::Make(http, callback);
  if (!authenticator) return authenticator.error();
  auto trusted = AddressSet::Parse(http.trusted_proxies);
  if (!trusted) return trusted.error().Within("http.trusted_proxies");
  auto rules = std::make_shared<Rules>();
  rules->http = http;
  rules->callback = callback;
  rules->authenticator = std::move(*authenticator);
  rules->trusted = std::move(*trusted);
  return std::shared_ptr<const Rules>(std::move(rules));
}

Status CallbackHandler::Reload(const config::HttpSettings& http, const config::CallbackSettings& callback) {
  auto rules = MakeRules(http, callback);
  if (!rules) return rules.error();
  clients_.SetRate(http.rate_limit);
  callers_.SetRate(http.rate_limit);
  std::lock_guard lock(rules_mutex_);
  rules_ = std::move(*rules);
  return {};
}

std::shared_ptr<const CallbackHandler::Rules> CallbackHandler::CurrentRules() const {
  std::lock_guard lock(rules_mutex_);
  return rules_;
}

HttpResponse CallbackHandler::Handle(const HttpRequest& request, std::stop_token stop) {
  Answer answer = Dispatch(request, std::move(stop));
  if (!answer.result.empty()) ports_.observer.OnCallback(answer.result);
  return std::move(answer.response);
}

HttpResponse CallbackHandler::Refuse(const HttpRequest& request, int status, std::string_view reason) {
  const std::string_view code = status == 413   ? "too_large"
                                : status == 431 ? "head_too_large"
                                : status == 503 ? "busy"
                                                : "bad_request";
  Answer answer = Refusal(status, code, reason);
  ports_.observer.OnCallback(answer.result);
  attempts_.Mention({FindClient(request, CurrentRules()->trusted).address,
                     {},
                     request.method,
                     request.target,
                     status,
                     answer.why});
  return std::move(answer.response);
}

Answer CallbackHandler::Dispatch(const HttpRequest& request, std::stop_token stop) {
  const std::shared_ptr<const Rules> rules = CurrentRules();
  Call call{request, *rules, FindRoute(request.method, request.target), FindClient(request, rules->trusted),
            std::move(stop)};
  switch (call.route.kind) {
    case RouteKind::kStatus:
      return Json(200, "{\"status\":\"ok\"}\n", {});
    case RouteKind::kUnknown:
      return Refusal(404, "no_such_route",
                     "there is nothing here: decide by POST to /v1/requests/ID/approve or deny");
    case RouteKind::kMethod: {
      Answer out = Refusal(405, "method_not_allowed", "this method is not possible here");
      out.response.headers.emplace_back("Allow", std::string(call.route.allow));
      return out;
    }
    case RouteKind::kShow: {
      auto refused = Admit(call);
      Answer answer = refused ? *std::move(refused) : Show(call);
      const int status = answer.response.status;
      if (status == 401 || status == 403 || status == 429) {
        attempts_.Mention({call.client.address, call.identity ? call.identity->name : "", request.method,
                           request.target, status, answer.why});
      }
      return answer;
    }
    default: {
      auto refused = Admit(call);
      Answer answer = refused ? *std::move(refused) : Decide(call);
      Tell(call, answer);
      return answer;
    }
  }
}

// Before anything costly: rate and origin.
std::optional<Answer> CallbackHandler::Admit(const Call& call) {
  if (const auto wait = clients_.Take(ClientKey(call.client.address), ports_.clock.Steady()))
    return TooMany(*wait);
  const auto header = [&](std::string_view name) -> std::optional<std::string_view> {
    const auto all = FindHeaders(call.request, name);
    if (all.empty()) return std::nullopt;
    return all.size() == 1 ? Trim(all[0]) : std::string_view("repeated");
  };
  if (IsCrossSite(header("origin"), header("sec-fetch-site"), call.rules.http.public_addr,
                  !call.rules.http.no_tls)) {
    return Refusal(403, "cross_site", "requests from other sites' pages are refused");
  }
  return std::nullopt;
}

std::optional<Answer> CallbackHandler::Authenticate(Call& call, bool bound) {
  auto identity =
      call.rules.authenticator->Identify(call.request, {bound, call.client.secure}, ports_.clock.Now());
  if (!identity) {
    Answer out = Refusal(401, "unauthorized", "authentication is missing or wrong");
    out.why = identity.error().message;
    for (const std::string& challenge : call.rules.authenticator->challenges()) {
      out.response.headers.emplace_back("WWW-Authenticate", challenge);
    }
    return out;
  }
  call.identity = *std::move(identity);
  if (const auto wait = callers_.Take(call.identity->name, ports_.clock.Steady())) return TooMany(*wait);
  return std::nullopt;
}

std::optional<Answer> CallbackHandler::NotNow() {
  if (draining_) return Refusal(503, "draining", "this program is stopping; it is safe to repeat the call");
  if (!ports_.service.Ready()) {
    return Refusal(503, "not_ready", "Teleport is not connected now; it is safe to repeat the call");
  }
  return std::nullopt;
}

Answer CallbackHandler::Show(Call& call) {
  if (auto refused = Authenticate(call, false)) return *std::move(refused);
  const std::string& id = call.route.request_id;
  if (!UsableId(id)) return Refusal(400, "bad_request", "the path names no access request");
  if (auto refused = NotNow()) return *std::move(refused);
  const auto found = ports_.service.Look(id, Limits(call));
  if (!found) {
    ports_.log.Warn("cannot look up an access request",
                    {{"request_id", id}, {"error", found.error().message}});
    return FromError(found.error());
  }
  if (!*found) return FromError({ErrorKind::kNotFound, {}, {}, false});
  if (const auto outside = OutsideScope(call.rules.callback, call.identity->caller, **found, {})) {
    return Refusal(403, "not_allowed", *outside);
  }
  return Json(200, access::RequestToJson(**found, ports_.service.WebUrl(id)) + "\n", "shown");
}

access::CallLimits CallbackHandler::Limits(const Call& call) const {
  Duration left = kUnbounded;
  if (call.request.deadline != SteadyTime::max()) left = call.request.deadline - ports_.clock.Steady();
  return {std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left), std::chrono::milliseconds(1)),
          call.stop};
}

void CallbackHandler::Tell(const Call& call, const Answer& answer) {
  AuditRecord record;
  if (call.identity) record.caller = call.identity->name;
  record.client = call.client.address;
  record.request_id = std::string(CutUtf8(ToValidUtf8(call.ask.request_id), 256));
  record.decision = DecisionWord(call.ask.decision);
  record.delegator = call.delegator;
  record.status = answer.response.status;
  record.result = answer.result;
  attempts_.Tell(std::move(record), answer.why);
}

}  // namespace tw::callback
