// Decider: approves or denies one access request, the same way for callbacks and the command line (product.md
// section 5). Deciders of one process are serialised per request; against others Teleport's own rules stand.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>

#include "access/access_api.h"
#include "access/decision.h"
#include "base/log.h"

namespace tw::access {

// Safe for use from any thread. `book` may be null (the command line keeps no record); the referenced objects
// must outlive the Decider.
class Decider {
 public:
  Decider(AccessApi& api, DecisionBook* book, Clock& clock, Logger& log)
      : api_(api), book_(book), clock_(clock), log_(log) {}

  // `limits` bound the decision as a whole, however many calls it takes.
  // Errors: kUsage (empty id, roles in review mode), kNotFound, kConflict (already decided the other way, or
  // a review without effect), kTimeout (another decision of the same request took the whole time), and those
  // of AccessApi.
  Result<DecisionOutcome> Decide(const Decision& decision, const CallLimits& limits);

 private:
  class Allowance;  // the time of one decision
  class Turn;       // holds the request while one decision is under way

  Result<DecisionOutcome> DecideByState(const Decision& decision, const Allowance& time);
  Result<DecisionOutcome> DecideByReview(const Decision& decision, const Allowance& time);
  Result<DecisionOutcome> AfterUnclearAnswer(const Decision& decision, const Error& error,
                                             const Allowance& time);
  Result<DecisionOutcome> AfterRefusedReview(const Decision& decision, const std::string& user,
                                             const Error& error, const Allowance& time);
  void Remember(const Decision& decision);
  void Withdraw(const Decision& decision);

  AccessApi& api_;
  DecisionBook* book_;
  Clock& clock_;
  Logger& log_;
  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::set<std::string> busy_;  // request ids being decided; bounded by the callers' threads
};

}  // namespace tw::access
