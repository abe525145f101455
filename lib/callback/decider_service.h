// DecisionService over a cluster's AccessApi and the Decider. Both must outlive it. Any thread.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "access/decider.h"
#include "access/web_url.h"
#include "callback/ports.h"

namespace tw::callback {

// Told by whoever watches the connection. Called from any thread.
struct ClusterReach {
  std::function<bool()> ready;                 // may decisions be taken now?
  std::function<std::string()> proxy_address;  // host:port of the proxy, may be empty
};

class DeciderService final : public DecisionService {
 public:
  DeciderService(access::AccessApi& api, access::Decider& decider, ClusterReach reach)
      : api_(api), decider_(decider), reach_(std::move(reach)) {}

  bool Ready() override { return reach_.ready(); }
  Result<std::optional<access::AccessRequest>> Look(const std::string& id,
                                                    const access::CallLimits& limits) override {
    return api_.Get(id, limits);
  }
  Result<access::DecisionOutcome> Decide(const access::Decision& decision,
                                         const access::CallLimits& limits) override {
    return decider_.Decide(decision, limits);
  }
  std::string WebUrl(const std::string& id) override { return access::WebUrl(reach_.proxy_address(), id); }

 private:
  access::AccessApi& api_;
  access::Decider& decider_;
  ClusterReach reach_;
};

}  // namespace tw::callback
