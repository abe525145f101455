// Decisions made through this installation, and the port that remembers them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/access_request.h"
#include "access/event.h"
#include "base/result.h"

namespace tw::access {

enum class DecisionMode { kState, kReview };

std::string_view DecisionModeName(DecisionMode mode);  // "state", "review"

struct Decision {
  std::string request_id;
  RequestState state = RequestState::kNone;  // kApproved or kDenied
  DecisionMode mode = DecisionMode::kState;
  std::string delegator;  // recorded name, e.g. "webhooks:carol"
  std::string via;        // "callback" or "command"
  std::string reason;
  std::vector<std::string> roles;
  Annotations annotations;
  std::optional<SystemTime> assume_start_time;
};

struct DecisionOutcome {
  RequestState state = RequestState::kNone;  // of the request afterwards
  bool changed = false;                      // false: it was already so
};

// Written before Teleport is asked (so that the event of the change finds it) and confirmed or withdrawn
// after.
class DecisionBook {
 public:
  virtual ~DecisionBook() = default;
  virtual Status Remember(const Decision& decision, SystemTime at) = 0;
  virtual Status Withdraw(const std::string& request_id, RequestState state) = 0;
  // The latest decision of that state for the request.
  virtual Result<std::optional<DecisionNote>> Find(const std::string& request_id, RequestState state) = 0;
};

}  // namespace tw::access
