#include "callback/binding.h"

namespace tw::callback {

access::RequestState DecisionOf(const Route& route) {
  return route.kind == RouteKind::kApprove ? access::RequestState::kApproved : access::RequestState::kDenied;
}

Binding BindingOf(const Route& route, const Ask& ask) {
  if (route.kind == RouteKind::kLegacy) return Binding::kBound;
  const bool names_request = !ask.request_id.empty();
  if (names_request && ask.request_id != route.request_id) return Binding::kAgainst;
  if (ask.decision && *ask.decision != DecisionOf(route)) return Binding::kAgainst;
  return names_request && ask.decision ? Binding::kBound : Binding::kLoose;
}

}  // namespace tw::callback
