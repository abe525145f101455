// What deliveries tell to metrics. Called from the deliverer's threads; must not block.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "store/store.h"

namespace tw::webhook {

class DeliveryObserver {
 public:
  virtual ~DeliveryObserver() = default;
  // `outcome`: "delivered", "retry", "dead" or "disabled". `lag`: from the event to now.
  virtual void OnAttempt(const std::string& endpoint, std::string_view outcome,
                         std::chrono::microseconds took, std::chrono::microseconds lag) = 0;
  virtual void OnEndpointState(const std::string& endpoint, store::HoldKind hold) = 0;
  virtual void OnEndpointRemoved(const std::string& endpoint) = 0;
};

}  // namespace tw::webhook
