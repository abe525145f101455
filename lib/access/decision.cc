#include "access/decision.h"

namespace tw::access {

std::string_view DecisionModeName(DecisionMode mode) {
  return mode == DecisionMode::kState ? "state" : "review";
}

}  // namespace tw::access
