// What callbacks may do with Teleport: look, decide, and ask whether it is there.
#pragma once

#include "access/decider.h"
#include "access/web_url.h"
#include "callback/ports.h"
#include "daemon/health.h"

namespace tw::daemon {

// Any thread. The references must outlive it.
class TeleportDecisions final : public callback::DecisionService {
 public:
  TeleportDecisions(access::AccessApi& api, access::DecisionBook& book, const Health& health, Clock& clock,
                    Logger& log)
      : api_(api), health_(health), decider_(api, &book, clock, log) {}

  // Callbacks are taken as soon as Teleport has been reached, whether or not the first comparison is over.
  bool Ready() override { return health_.connected() && !health_.draining(); }
  Result<std::optional<access::AccessRequest>> Look(const std::string& id,
                                                    const access::CallLimits& limits) override {
    return api_.Get(id, limits);
  }
  Result<access::DecisionOutcome> Decide(const access::Decision& decision,
                                         const access::CallLimits& limits) override {
    return decider_.Decide(decision, limits);
  }
  std::string WebUrl(const std::string& id) override {
    return access::WebUrl(health_.cluster().proxy_address, id);
  }

 private:
  access::AccessApi& api_;
  const Health& health_;
  access::Decider decider_;
};

}  // namespace tw::daemon
