// What a body says about the request and the decision that the path names (product.md section 5): a signature
// authenticates a body, so it vouches for no more than what stands there. Pure.
#pragma once

#include "callback/body.h"
#include "callback/route.h"

namespace tw::callback {

enum class Binding {
  kLoose,  // one of the two is not named: the body would do for another request or decision as well
  kBound,  // both are named, as in the path; the original's body always names both, else nothing comes of it
  kAgainst,  // the path says otherwise
};

// `ask`: what was read of the body, for a route that decides.
Binding BindingOf(const Route& route, const Ask& ask);

// What a route under /v1 decides; of no meaning for others.
access::RequestState DecisionOf(const Route& route);

}  // namespace tw::callback
