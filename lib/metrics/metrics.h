// Metrics: the counters of the daemon and their Prometheus text (product.md section 8). Label values are
// endpoint names from the configuration and words from closed lists, so that the number of series is bounded.
// Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tw::metrics {

class Metrics {
 public:
  explicit Metrics(std::string_view version);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Series that begin at 0, so that the first increase can be seen.
  void BeginEvents(std::string_view type);
  void BeginAttempts(const std::string& endpoint);

  void EventCommitted(std::string_view type);
  // `outcome`: delivered, retry, dead or disabled. `lag`: from the event to its delivery.
  void Attempt(const std::string& endpoint, std::string_view outcome, std::chrono::microseconds took);
  void DeliveryLag(const std::string& endpoint, std::chrono::microseconds lag);
  void QueueDepth(const std::string& endpoint, std::int64_t deliveries);
  void OldestPending(const std::string& endpoint, std::chrono::seconds age);
  // 0 open, 1 held by Retry-After, 2 held by the breaker, 3 disabled.
  void EndpointState(const std::string& endpoint, int state);
  // For an endpoint that is configured no more. Not at the same time as EndpointState.
  void ForgetEndpointState(const std::string& endpoint);
  void DeadLetters(const std::string& endpoint, std::int64_t count);
  // For an endpoint of which the store knows no more. Not at the same time as the three that set it.
  void ForgetQueue(const std::string& endpoint);
  void Callback(std::string_view result);
  void TeleportConnected(bool connected);
  void WatchReconnects(std::uint64_t more);
  void ResyncRecovered(std::uint64_t more);
  // Seconds until a credential expires; negative when it has.
  void CredentialExpiry(std::string_view kind, std::chrono::seconds left);

  std::string Text() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace tw::metrics
