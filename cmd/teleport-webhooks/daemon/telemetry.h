// Telemetry: carries what the parts observe into the metrics, and samples the rest when they are asked for.
#pragma once

#include <mutex>
#include <set>
#include <string>

#include "access/event.h"
#include "callback/ports.h"
#include "daemon/health.h"
#include "metrics/metrics.h"
#include "store/store.h"
#include "teleport/client.h"
#include "webhook/delivery_observer.h"

namespace tw::daemon {

// Safe for use from any thread.
class Telemetry final : public webhook::DeliveryObserver, public callback::CallbackObserver {
 public:
  Telemetry();

  void OnAttempt(const std::string& endpoint, std::string_view outcome, std::chrono::microseconds took,
                 std::chrono::microseconds lag) override;
  void OnEndpointState(const std::string& endpoint, store::HoldKind hold) override;
  void OnEndpointRemoved(const std::string& endpoint) override;
  void OnCallback(std::string_view result) override;
  void OnEvent(access::EventType type);

  // The metrics as text. Queue depths, connection and expiry are read where they are kept.
  std::string Text(store::Store& store, const Health& health, const teleport::CredentialState& credential,
                   SystemTime now);

 private:
  void Sample(store::Store& store, const Health& health, const teleport::CredentialState& credential,
              SystemTime now);

  void SampleQueues(store::Store& store, SystemTime now);

  metrics::Metrics metrics_;
  std::mutex sampling_;
  std::set<std::string> queues_;  // endpoints as last sampled, like those below
  std::uint64_t reconnects_ = 0;
  std::uint64_t recovered_ = 0;
};

}  // namespace tw::daemon
