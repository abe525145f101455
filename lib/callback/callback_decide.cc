// The part of CallbackHandler that decides.
#include <fmt/format.h>

#include "callback/binding.h"
#include "callback/callback_call.h"
#include "callback/headers.h"
#include "callback/name_folding.h"
#include "callback/policy.h"

namespace tw::callback {
namespace {

Answer BadRequest(std::string_view message) {
  return Refusal(400, "bad_request", message);
}

}  // namespace

Answer CallbackHandler::Decide(Call& call) {
  const auto unreadable = ReadAsk(call);
  const Binding binding = BindingOf(call.route, call.ask);
  if (call.route.kind != RouteKind::kLegacy) {
    call.ask.request_id = call.route.request_id;
    call.ask.decision = DecisionOf(call.route);
  }
  if (auto refused = Authenticate(call, binding == Binding::kBound)) return *std::move(refused);
  if (unreadable) return *unreadable;
  if (binding == Binding::kAgainst)
    return BadRequest("request_id or decision in the body differ from the path");
  if (auto refused = CheckAsk(call)) return *std::move(refused);
  if (!call.identity->signed_body || call.identity->webhook_id.empty()) return DecideOnce(call);
  return replays_.Once(call.identity->signer, call.identity->webhook_id, call.request.body,
                       call.request.deadline, [&] { return DecideOnce(call); });
}

std::optional<Answer> CallbackHandler::ReadAsk(Call& call) const {
  Result<Ask> ask;
  if (call.route.kind == RouteKind::kLegacy) {
    ask = ParseLegacyBody(call.request.body);
  } else {
    if (QueryNamesFields(call.request.target))
      return BadRequest("the query is not read: send the fields in the body");
    const auto types = FindHeaders(call.request, "content-type");
    const BodyFormat format = FormatOf(types.size() == 1 ? types[0] : std::string_view(), call.request.body);
    if (format == BodyFormat::kOther) {
      return Refusal(415, "unsupported_media_type",
                     "send application/json, application/x-www-form-urlencoded, or no body");
    }
    ask = ParseV1Body(format, call.request.body);
  }
  if (!ask) return BadRequest(ask.error().message);
  call.ask = std::move(*ask);
  return std::nullopt;
}

// What can be said without asking Teleport.
std::optional<Answer> CallbackHandler::CheckAsk(Call& call) const {
  const config::CallbackSettings& settings = call.rules.callback;
  const Ask& ask = call.ask;
  if (!UsableId(ask.request_id)) return BadRequest("the id of the access request is missing or unusable");
  if (settings.require_reason && FoldName(ask.reason).empty()) return BadRequest("a reason is required");
  if (settings.mode == config::CallbackMode::kReview && (!ask.roles.empty() || !ask.annotations.empty())) {
    return BadRequest("roles and annotations cannot be given: decisions are made as reviews here");
  }
  std::string name = call.identity->name;
  if (settings.delegator == config::DelegatorSource::kFixed) name = settings.fixed_delegator;
  if (settings.delegator == config::DelegatorSource::kBody && !ask.delegator.empty()) name = ask.delegator;
  if (!UsableDelegator(name)) {
    return BadRequest(
        "the delegator must have 1 to 128 characters, not all of them blank, and no control characters");
  }
  call.delegator = "webhooks:" + name;
  return std::nullopt;
}

// What depends on the request; nullopt: it may be decided.
std::optional<Answer> CallbackHandler::CheckRequest(Call& call) {
  const config::CallerSettings* const caller = call.identity->caller;
  if (!MayDecide(caller, *call.ask.decision)) {
    return Refusal(403, "not_allowed", "this caller may not make this kind of decision");
  }
  const auto found = ports_.service.Look(call.ask.request_id, Limits(call));
  if (!found) {
    ports_.log.Warn("cannot look up an access request",
                    {{"request_id", call.ask.request_id}, {"error", found.error().message}});
    return FromError(found.error());
  }
  if (!*found) return FromError({ErrorKind::kNotFound, {}, {}, false});
  if (call.rules.callback.deny_self_approval) {
    std::vector<std::string> names = call.identity->names;
    names.push_back(call.delegator);
    if (!call.ask.delegator.empty()) names.push_back(call.ask.delegator);
    if (IsRequester((*found)->user, names)) {
      return Refusal(403, "self_approval", "nobody may decide an access request of their own");
    }
  }
  if (const auto outside = OutsideScope(call.rules.callback, caller, **found, call.ask.roles)) {
    return Refusal(403, "not_allowed", *outside);
  }
  return std::nullopt;
}

Answer CallbackHandler::DecideOnce(Call& call) {
  if (auto refused = NotNow()) return *std::move(refused);
  if (const Status audit = ports_.audit.Ready(); !audit) {
    ports_.log.Error("callbacks are refused: the audit trail cannot be written",
                     {{"error", audit.error().message}});
    return Refusal(503, "not_ready", "the audit trail cannot be written now; it is safe to repeat the call");
  }
  if (auto refused = CheckRequest(call)) return *std::move(refused);
  access::Decision decision;
  decision.request_id = call.ask.request_id;
  decision.state = *call.ask.decision;
  decision.mode = call.rules.callback.mode == config::CallbackMode::kReview ? access::DecisionMode::kReview
                                                                            : access::DecisionMode::kState;
  decision.delegator = call.delegator;
  decision.via = "callback";
  decision.reason = call.ask.reason;
  decision.roles = call.ask.roles;
  decision.annotations = call.ask.annotations;
  decision.assume_start_time = call.ask.assume_start_time;
  const auto outcome = ports_.service.Decide(decision, Limits(call));
  if (outcome) {
    return Decided(decision.request_id, decision.state, *outcome, call.route.kind == RouteKind::kLegacy);
  }
  ports_.log.Warn("a callback could not be carried out", {{"request_id", decision.request_id},
                                                          {"error", outcome.error().message},
                                                          {"hint", outcome.error().hint}});
  return FromError(outcome.error());
}

}  // namespace tw::callback
