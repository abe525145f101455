// The only file that sees prometheus-cpp.
#include "metrics/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace tw::metrics {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

// Seconds: a receiver on the same machine up to one that uses its whole time-out.
const Histogram::BucketBoundaries kAttemptBuckets = {0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30};
// Seconds from an event to its delivery: milliseconds up to a day of outage.
const Histogram::BucketBoundaries kLagBuckets = {0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 300, 3600, 86400};

Family<Counter>& NewCounter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
Family<Gauge>& NewGauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
Family<Histogram>& NewHistogram(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

void Forget(Family<Gauge>& family, const std::string& endpoint) {
  family.Remove(&family.Add({{"endpoint", endpoint}}));
}

double Seconds(std::chrono::microseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

struct Metrics::Families {
  prometheus::Registry registry;
  Family<Counter>& events =
      NewCounter(registry, "teleport_webhooks_events_total", "Events committed, by type.");
  Family<Counter>& attempts =
      NewCounter(registry, "teleport_webhooks_attempts_total", "Delivery attempts, by outcome.");
  Family<Histogram>& took =
      NewHistogram(registry, "teleport_webhooks_attempt_duration_seconds", "How long attempts took.");
  Family<Histogram>& lag =
      NewHistogram(registry, "teleport_webhooks_delivery_lag_seconds", "From an event to its delivery.");
  Family<Gauge>& depth = NewGauge(registry, "teleport_webhooks_queue_depth", "Deliveries that wait.");
  Family<Gauge>& oldest = NewGauge(registry, "teleport_webhooks_oldest_pending_seconds",
                                   "Age of the oldest delivery that waits.");
  Family<Gauge>& state = NewGauge(registry, "teleport_webhooks_endpoint_state",
                                  "0 open, 1 held by Retry-After, 2 held by the breaker, 3 disabled.");
  Family<Gauge>& dead =
      NewGauge(registry, "teleport_webhooks_dead_letters", "Deliveries that were given up and are kept.");
  Family<Counter>& callbacks =
      NewCounter(registry, "teleport_webhooks_callbacks_total", "Callbacks answered, by result.");
  Gauge& connected =
      NewGauge(registry, "teleport_webhooks_teleport_connected", "1 while connected to Teleport.").Add({});
  Counter& reconnects =
      NewCounter(registry, "teleport_webhooks_watch_reconnects_total", "Times the watch was opened again.")
          .Add({});
  Counter& recovered =
      NewCounter(registry, "teleport_webhooks_resync_recovered_total", "Missed changes found by listing.")
          .Add({});
  Family<Gauge>& expiry = NewGauge(registry, "teleport_webhooks_credential_expiry_seconds",
                                   "Time left until a credential expires.");
  Family<Gauge>& build =
      NewGauge(registry, "teleport_webhooks_build_info", "1, with the version as a label.");
};

Metrics::Metrics(std::string_view version) : families_(std::make_unique<Families>()) {
  families_->build.Add({{"version", std::string(version)}}).Set(1);
}

Metrics::~Metrics() = default;

void Metrics::BeginEvents(std::string_view type) {
  families_->events.Add({{"type", std::string(type)}});
}

void Metrics::BeginAttempts(const std::string& endpoint) {
  for (const char* outcome : {"delivered", "retry", "dead", "disabled"})
    families_->attempts.Add({{"endpoint", endpoint}, {"outcome", outcome}});
}

void Metrics::EventCommitted(std::string_view type) {
  families_->events.Add({{"type", std::string(type)}}).Increment();
}

void Metrics::Attempt(const std::string& endpoint, std::string_view outcome, std::chrono::microseconds took) {
  families_->attempts.Add({{"endpoint", endpoint}, {"outcome", std::string(outcome)}}).Increment();
  families_->took.Add({{"endpoint", endpoint}}, kAttemptBuckets).Observe(Seconds(took));
}

void Metrics::DeliveryLag(const std::string& endpoint, std::chrono::microseconds lag) {
  families_->lag.Add({{"endpoint", endpoint}}, kLagBuckets).Observe(Seconds(lag));
}

void Metrics::QueueDepth(const std::string& endpoint, std::int64_t deliveries) {
  families_->depth.Add({{"endpoint", endpoint}}).Set(static_cast<double>(deliveries));
}

void Metrics::OldestPending(const std::string& endpoint, std::chrono::seconds age) {
  families_->oldest.Add({{"endpoint", endpoint}}).Set(static_cast<double>(age.count()));
}

void Metrics::EndpointState(const std::string& endpoint, int state) {
  families_->state.Add({{"endpoint", endpoint}}).Set(state);
}

void Metrics::ForgetEndpointState(const std::string& endpoint) {
  Forget(families_->state, endpoint);
}

void Metrics::DeadLetters(const std::string& endpoint, std::int64_t count) {
  families_->dead.Add({{"endpoint", endpoint}}).Set(static_cast<double>(count));
}

void Metrics::ForgetQueue(const std::string& endpoint) {
  for (Family<Gauge>* family : {&families_->depth, &families_->oldest, &families_->dead})
    Forget(*family, endpoint);
}

void Metrics::Callback(std::string_view result) {
  families_->callbacks.Add({{"result", std::string(result)}}).Increment();
}

void Metrics::TeleportConnected(bool connected) {
  families_->connected.Set(connected ? 1 : 0);
}

void Metrics::WatchReconnects(std::uint64_t more) {
  families_->reconnects.Increment(static_cast<double>(more));
}

void Metrics::ResyncRecovered(std::uint64_t more) {
  families_->recovered.Increment(static_cast<double>(more));
}

void Metrics::CredentialExpiry(std::string_view kind, std::chrono::seconds left) {
  families_->expiry.Add({{"kind", std::string(kind)}}).Set(static_cast<double>(left.count()));
}

std::string Metrics::Text() const {
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

}  // namespace tw::metrics
