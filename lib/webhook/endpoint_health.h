// EndpointHealth: may anything go to this endpoint now? Retry-After, the breaker and 410 hold it; time held
// does not count against a delivery's max_elapsed (product.md section 4, "holding"). Pure state machine; one
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "config/settings.h"
#include "store/store.h"
#include "webhook/retry_policy.h"

namespace tw::webhook {

// Time held so far, a hold under way included.
std::chrono::milliseconds HeldTotal(const store::EndpointState& state, SystemTime now);

// Lifts whatever holds the endpoint; the time held stays counted.
void LiftHold(store::EndpointState& state, SystemTime now);

class EndpointHealth {
 public:
  // `stored`: what the store remembers, if anything. A URL that is not the remembered one lifts every hold.
  EndpointHealth(const config::EndpointSettings& settings, std::optional<store::EndpointState> stored,
                 SystemTime now);

  // Shortens a hold that ends later than any that would begin now: the clock was set back, or the rule
  // changed.
  void BoundHold(SystemTime now);
  // How many attempts may be under way: 0 while held, 1 for the probe when a hold has run out, else
  // `concurrency`.
  int Allowed(SystemTime now) const;
  // When Allowed changes by itself; nullopt: not by time.
  std::optional<SystemTime> HeldUntil() const;

  enum class Change { kNone, kHeld, kRecovered, kDisabled };
  // Takes the outcome of an attempt that began at `began`.
  Change Apply(const Judgement& judgement, SystemTime began, SystemTime now, Random& random);
  // Lifts whatever holds the endpoint (a manual test succeeded).
  void Lift(SystemTime now) { LiftHold(state_, now); }

  std::chrono::milliseconds HeldTotal(SystemTime now) const { return webhook::HeldTotal(state_, now); }
  const store::EndpointState& state() const { return state_; }
  bool held() const { return state_.hold != store::HoldKind::kNone; }
  // Was it made with another URL than the remembered one?
  bool url_changed() const { return url_changed_; }

 private:
  void Hold(store::HoldKind kind, std::optional<SystemTime> until, SystemTime now);

  config::BreakerSettings breaker_;
  int concurrency_;
  store::EndpointState state_;
  bool url_changed_ = false;
};

// SHA-256 of the URL, in hex.
std::string UrlDigest(const config::EndpointSettings& settings);

// "open", "held (Retry-After)", "held (breaker)", "disabled (410)".
std::string_view HoldName(store::HoldKind kind);

}  // namespace tw::webhook
