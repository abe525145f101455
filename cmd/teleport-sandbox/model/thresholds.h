// Review counting: which thresholds a review counts for, and when reviews resolve a request.
// Facts: reference page section 4.3. Pure, any thread.
#pragma once

#include <optional>
#include <vector>

#include "model/request.h"

namespace tw::sandbox {

// Gives `request` its thresholds: `configured` for every role, or one named "default" (1 approval, 1 denial).
void SetThresholds(Request& request, std::vector<Threshold> configured);

struct Resolution {
  State state = State::kNone;
  std::string reason;  // of the review that decided
};

// Counts the reviews in order. Nullopt: still pending.
std::optional<Resolution> CountReviews(const Request& request);

}  // namespace tw::sandbox
