// DecisionService over a cluster's AccessApi and the Decider. Both must outlive it. Any thread.
#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "access/decider.h"
#include "access/web_url.h"
#include "callback/ports.h"

namespace tw::callback {

class DeciderService final : public DecisionService {
 public:
  DeciderService(access::AccessApi& api, access::Decider& decider) : api_(api), decider_(decider) {}

  // Told by whoever watches the connection: reached (with the proxy's host:port, may be empty) or lost.
  void SetReady(bool ready) { ready_ = ready; }
  void SetProxyAddress(std::string address) {
    std::lock_guard lock(mutex_);
    proxy_ = std::move(address);
  }

  bool Ready() override { return ready_; }
  Result<std::optional<access::AccessRequest>> Look(const std::string& id,
                                                    const access::CallLimits& limits) override {
    return api_.Get(id, limits);
  }
  Result<access::DecisionOutcome> Decide(const access::Decision& decision,
                                         const access::CallLimits& limits) override {
    return decider_.Decide(decision, limits);
  }
  std::string WebUrl(const std::string& id) override {
    std::lock_guard lock(mutex_);
    return access::WebUrl(proxy_, id);
  }

 private:
  access::AccessApi& api_;
  access::Decider& decider_;
  std::atomic<bool> ready_{false};
  std::mutex mutex_;
  std::string proxy_;
};

}  // namespace tw::callback
