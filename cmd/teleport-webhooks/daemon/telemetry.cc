#include "daemon/telemetry.h"

#include <utility>

#include "version.h"

namespace tw::daemon {

Telemetry::Telemetry() : metrics_(TW_VERSION) {
  using access::EventType;
  for (const EventType type :
       {EventType::kCreated, EventType::kReviewed, EventType::kApproved, EventType::kDenied,
        EventType::kPromoted, EventType::kUpdated, EventType::kExpired, EventType::kDeleted})
    metrics_.BeginEvents(access::EventTypeName(type));
}

void Telemetry::OnAttempt(const std::string& endpoint, std::string_view outcome,
                          std::chrono::microseconds took, std::chrono::microseconds lag) {
  metrics_.Attempt(endpoint, outcome, took);
  if (outcome == "delivered") metrics_.DeliveryLag(endpoint, lag);
}

void Telemetry::OnEndpointState(const std::string& endpoint, store::HoldKind hold) {
  metrics_.BeginAttempts(endpoint);
  metrics_.EndpointState(endpoint, static_cast<int>(hold));
}

void Telemetry::OnEndpointRemoved(const std::string& endpoint) {
  metrics_.ForgetEndpointState(endpoint);
}

void Telemetry::OnCallback(std::string_view result) {
  metrics_.Callback(result);
}

void Telemetry::OnEvent(access::EventType type) {
  metrics_.EventCommitted(access::EventTypeName(type));
}

void Telemetry::SampleQueues(store::Store& store, SystemTime now) {
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  const auto summaries = store.Summaries();
  if (!summaries) return;
  std::set<std::string> gone = std::move(queues_);
  queues_.clear();
  for (const store::QueueSummary& summary : *summaries) {
    metrics_.QueueDepth(summary.endpoint, summary.pending);
    metrics_.DeadLetters(summary.endpoint, summary.dead);
    const auto age =
        summary.oldest_pending ? duration_cast<seconds>(now - *summary.oldest_pending) : seconds(0);
    metrics_.OldestPending(summary.endpoint, age);
    queues_.insert(summary.endpoint);
    gone.erase(summary.endpoint);
  }
  for (const std::string& endpoint : gone) metrics_.ForgetQueue(endpoint);
}

void Telemetry::Sample(store::Store& store, const Health& health, const teleport::CredentialState& credential,
                       SystemTime now) {
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  SampleQueues(store, now);
  metrics_.TeleportConnected(health.connected());
  const std::uint64_t reconnects = health.reconnects();
  metrics_.WatchReconnects(reconnects - std::exchange(reconnects_, reconnects));
  const std::uint64_t recovered = health.recovered();
  metrics_.ResyncRecovered(recovered - std::exchange(recovered_, recovered));
  if (credential.not_after != SystemTime())
    metrics_.CredentialExpiry("teleport", duration_cast<seconds>(credential.not_after - now));
}

std::string Telemetry::Text(store::Store& store, const Health& health,
                            const teleport::CredentialState& credential, SystemTime now) {
  std::lock_guard lock(sampling_);
  Sample(store, health, credential, now);
  return metrics_.Text();
}

}  // namespace tw::daemon
