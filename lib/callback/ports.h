// What the callback handler needs from others. Implementations are safe for use from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "access/access_api.h"
#include "access/decision.h"
#include "base/clock.h"
#include "base/result.h"

namespace tw::callback {

// Deciding; the daemon's wiring puts access::Decider and access::AccessApi behind it.
class DecisionService {
 public:
  virtual ~DecisionService() = default;
  // False until Teleport has been reached, and when nothing can be decided now.
  virtual bool Ready() = 0;
  // Nullopt: no such request, or our role may not see it. Errors as AccessApi::Get.
  virtual Result<std::optional<access::AccessRequest>> Look(const std::string& id,
                                                            const access::CallLimits& limits) = 0;
  // Errors as access::Decider::Decide.
  virtual Result<access::DecisionOutcome> Decide(const access::Decision& decision,
                                                 const access::CallLimits& limits) = 0;
  // Where a person sees the request; empty when the cluster names no proxy.
  virtual std::string WebUrl(const std::string& id) = 0;
};

// The remembered answer to a signed callback.
struct RememberedAnswer {
  std::string body_digest;
  int status = 0;
  std::string content_type;
  std::string body;
};

// Answers by caller and webhook-id, kept across restarts; see store_replay.h.
class ReplayMemory {
 public:
  virtual ~ReplayMemory() = default;
  virtual Result<std::optional<RememberedAnswer>> Find(const std::string& caller,
                                                       const std::string& webhook_id) = 0;
  virtual Status Save(const std::string& caller, const std::string& webhook_id,
                      const RememberedAnswer& answer, SystemTime forget_after) = 0;
};

// One attempt to decide, for the audit trail. No secrets, no signatures.
struct AuditRecord {
  SystemTime time;
  std::string caller;  // authenticated name; empty: nobody
  std::string client;  // address
  std::string request_id;
  std::string decision;  // "approve", "deny"; empty when it could not be read
  std::string delegator;
  int status = 0;
  std::string result;          // "approved", "denied", "unchanged", or the code of the error
  std::size_t suppressed = 0;  // refused attempts before this one that were not written (see CallbackHandler)
};

class AuditLog {
 public:
  virtual ~AuditLog() = default;
  // On disk when it returns. Errors: kFailure.
  virtual Status Append(const AuditRecord& record) = 0;
  // Can the next record be written? Tried, not remembered, after a failure.
  virtual Status Ready() = 0;
};

// For metrics: one call for each callback answered, with the word of callbacks_total{result}.
class CallbackObserver {
 public:
  virtual ~CallbackObserver() = default;
  virtual void OnCallback(std::string_view result) = 0;
};

}  // namespace tw::callback
