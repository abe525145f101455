#include "webhook/endpoint_health.h"

#include <algorithm>

#include "base/backoff.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace tw::webhook {
namespace {

using std::chrono::milliseconds;
using store::HoldKind;

constexpr std::chrono::seconds kFirstProbe{1};  // ceiling of the first breaker hold; doubles with every trip

}  // namespace

std::string UrlDigest(const config::EndpointSettings& settings) {
  return HexEncode(crypto::Sha256(settings.url.WithoutUserInfo()));
}

std::string_view HoldName(HoldKind kind) {
  switch (kind) {
    case HoldKind::kNone:
      return "open";
    case HoldKind::kRetryAfter:
      return "held (Retry-After)";
    case HoldKind::kBreaker:
      return "held (breaker)";
    case HoldKind::kDisabled:
      return "disabled (410)";
  }
  return "open";
}

EndpointHealth::EndpointHealth(const config::EndpointSettings& settings,
                               std::optional<store::EndpointState> stored, SystemTime now)
    : breaker_(settings.breaker),
      concurrency_(settings.concurrency),
      state_(stored.value_or(store::EndpointState())) {
  const std::string digest = UrlDigest(settings);
  url_changed_ = !state_.url_digest.empty() && state_.url_digest != digest;
  if (url_changed_) Lift(now);
  state_.endpoint = settings.name;
  state_.url_digest = digest;
}

void EndpointHealth::BoundHold(SystemTime now) {
  if (!state_.hold_until) return;
  const Duration longest =
      state_.hold == HoldKind::kBreaker ? Duration(breaker_.max) : Duration(kLongestRetryAfter);
  state_.hold_until = std::min(*state_.hold_until, now + std::chrono::ceil<milliseconds>(longest));
}

int EndpointHealth::Allowed(SystemTime now) const {
  if (!held()) return concurrency_;
  return state_.hold_until && *state_.hold_until <= now ? 1 : 0;
}

std::optional<SystemTime> EndpointHealth::HeldUntil() const {
  return held() ? state_.hold_until : std::nullopt;
}

milliseconds HeldTotal(const store::EndpointState& state, SystemTime now) {
  milliseconds total = state.held_total;
  if (state.hold != HoldKind::kNone && state.hold_since && now > *state.hold_since) {
    total += std::chrono::duration_cast<milliseconds>(now - *state.hold_since);
  }
  return total;
}

void LiftHold(store::EndpointState& state, SystemTime now) {
  state.held_total = HeldTotal(state, now);
  state.hold = HoldKind::kNone;
  state.hold_since.reset();
  state.hold_until.reset();
  state.consecutive_failures = 0;
  state.breaker_trips = 0;
}

void EndpointHealth::Hold(HoldKind kind, std::optional<SystemTime> until, SystemTime now) {
  if (!held()) state_.hold_since = now;
  state_.hold = kind;
  state_.hold_until = until;
}

EndpointHealth::Change EndpointHealth::Apply(const Judgement& judgement, SystemTime began, SystemTime now,
                                             Random& random) {
  state_.last_answer = judgement.what;
  state_.last_answer_at = now;
  if (judgement.verdict == Verdict::kDelivered) {
    if (!held()) {
      // Not a recovery: else one event that always fails would be made due by every other's success.
      state_.consecutive_failures = 0;
      return Change::kNone;
    }
    // A success that was under way when the receiver said 410, or asked for a pause, does not take that word
    // back.
    const bool asked = state_.hold == HoldKind::kDisabled || state_.hold == HoldKind::kRetryAfter;
    if (asked && Allowed(now) == 0) return Change::kNone;
    Lift(now);
    return Change::kRecovered;
  }
  if (judgement.verdict == Verdict::kDisable) {
    Hold(HoldKind::kDisabled, std::nullopt, now);
    return Change::kDisabled;
  }
  if (judgement.verdict == Verdict::kDead || state_.hold == HoldKind::kDisabled) return Change::kNone;

  ++state_.consecutive_failures;
  if (judgement.hold_until) {
    const bool longer = !held() || !state_.hold_until || *judgement.hold_until > *state_.hold_until;
    if (longer) Hold(HoldKind::kRetryAfter, judgement.hold_until, now);
    return longer ? Change::kHeld : Change::kNone;
  }
  // Only a probe's failure says something new: attempts that were under way when the hold began may end long
  // after it, one by one, and each would double the wait.
  if (held() && state_.hold_until && *state_.hold_until > began) return Change::kNone;
  if (!held() && state_.consecutive_failures < breaker_.failures) return Change::kNone;
  const Duration wait =
      FullJitter(kFirstProbe, breaker_.max, static_cast<unsigned>(state_.breaker_trips++), random);
  Hold(HoldKind::kBreaker, now + std::chrono::ceil<milliseconds>(wait), now);
  return Change::kHeld;
}

}  // namespace tw::webhook
