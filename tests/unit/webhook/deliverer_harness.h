// A deliverer with everything around it in the test's hands: store in memory, fake clock, answers on demand.
#pragma once

#include <gmock/gmock.h>

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/url.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_logger.h"
#include "fakes/fake_random.h"
#include "fakes/fake_transport.h"
#include "sample_event.h"
#include "store/memory_store.h"
#include "webhook/deliverer.h"

namespace tw::webhook {

class RecordingObserver final : public DeliveryObserver {
 public:
  void OnAttempt(const std::string& endpoint, std::string_view outcome, std::chrono::microseconds,
                 std::chrono::microseconds) override {
    std::lock_guard lock(mutex_);
    attempts_.push_back(endpoint + " " + std::string(outcome));
  }
  void OnEndpointState(const std::string& endpoint, store::HoldKind hold) override {
    std::lock_guard lock(mutex_);
    states_.push_back(endpoint + " " + std::string(HoldName(hold)));
  }
  void OnEndpointRemoved(const std::string& endpoint) override {
    std::lock_guard lock(mutex_);
    states_.push_back(endpoint + " removed");
  }
  std::vector<std::string> attempts() const {
    std::lock_guard lock(mutex_);
    return attempts_;
  }
  std::vector<std::string> states() const {
    std::lock_guard lock(mutex_);
    return states_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> attempts_;
  std::vector<std::string> states_;
};

// Waits in real time for something that another thread brings about.
template <class Condition>
bool Eventually(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

inline config::EndpointSettings EndpointAt(std::string name,
                                           const std::string& url = "http://127.0.0.1:9/hook") {
  config::EndpointSettings settings;
  settings.name = std::move(name);
  settings.url = ParseUrl(url).value();
  settings.payload = config::PayloadKind::kEvent;
  return settings;
}

class DelivererTest : public testing::Test {
 protected:
  // `responder` answers calls as they are submitted; without one the test answers.
  void Start(std::vector<config::EndpointSettings> endpoints,
             fakes::FakeTransport::Responder responder = nullptr) {
    auto transport = std::make_unique<fakes::FakeTransport>(std::move(responder));
    transport_ = transport.get();
    deliverer_ =
        std::make_unique<Deliverer>(*store_, std::move(transport), clock_, random_, log_, observer_, "serve");
    Configure(endpoints);
    deliverer_->Start();
  }
  void Configure(const std::vector<config::EndpointSettings>& endpoints) {
    std::vector<EndpointPlan> plans;
    for (const auto& settings : endpoints) {
      auto plan = EndpointPlan::Make(settings, {}, "teleport-webhooks/test", compiler_.get());
      ASSERT_TRUE(plan) << plan.error().message;
      plans.push_back(*std::move(plan));
    }
    ASSERT_TRUE(deliverer_->SetEndpoints(std::move(plans)));
  }

  store::Commitment Change(const std::string& request, int n,
                           std::vector<std::string> endpoints = {"portal"}) {
    store::Commitment commitment;
    access::Event event = SampleEvent(n == 1 ? access::EventType::kCreated : access::EventType::kUpdated);
    event.id = "evt_" + request + "_" + std::to_string(n);
    event.seq = n;
    event.timestamp = clock_.Now();
    event.request.id = request;
    commitment.change.known.content = event.request;
    commitment.change.event = std::move(event);
    commitment.endpoints = std::move(endpoints);
    return commitment;
  }
  void Commit(const std::vector<store::Commitment>& batch) { ASSERT_TRUE(store_->Commit(batch)); }
  // Commits the n-th change of a request and tells the deliverer.
  void Add(const std::string& request, int n = 1, std::vector<std::string> endpoints = {"portal"}) {
    Commit({Change(request, n, std::move(endpoints))});
    deliverer_->Notify();
  }

  static std::string IdOf(const HttpCall& call) { return HeaderOf(call, "webhook-id"); }
  static std::string HeaderOf(const HttpCall& call, std::string_view name) {
    for (const auto& [key, value] : call.headers) {
      if (key == name) return value;
    }
    return {};
  }
  std::vector<std::string> SentIds() const {
    std::vector<std::string> ids;
    for (const HttpCall& call : transport_->sent()) ids.push_back(IdOf(call));
    return ids;
  }
  // Waits until this event is out and unanswered, then answers it.
  void Answer(const std::string& event_id, const HttpAnswer& answer) {
    std::uint64_t id = 0;
    ASSERT_TRUE(Eventually([&] {
      for (const HttpCall& call : transport_->open()) {
        if (IdOf(call) == event_id) id = call.id;
      }
      return id != 0;
    })) << event_id;
    transport_->Answer(id, answer);
  }
  std::vector<store::Delivery> Deliveries(std::optional<store::DeliveryStatus> status = std::nullopt) {
    store::DeliveryQuery query;
    query.status = status;
    query.limit = 100'000;
    return store_->Deliveries(query).value();
  }
  bool WaitForStatus(store::DeliveryStatus status, std::size_t count) {
    return Eventually([&] { return Deliveries(status).size() == count; });
  }
  bool WaitForAttempts(std::size_t count) {
    return Eventually([&] {
      std::size_t all = 0;
      for (const auto& delivery : Deliveries()) all += static_cast<std::size_t>(delivery.attempts);
      return all >= count;
    });
  }
  bool WaitForHold(store::HoldKind hold, const std::string& endpoint = "portal") {
    return Eventually([&] {
      const auto state = store_->FindEndpoint(endpoint).value();
      return state && state->hold == hold;
    });
  }
  // Gives the deliverer's threads real time to do what they should not do.
  void Settle() {
    const SteadyTime tick = deliverer_->last_tick();
    clock_.Advance(std::chrono::microseconds(1));
    ASSERT_TRUE(Eventually([&] { return deliverer_->last_tick() > tick; }));
    clock_.Advance(std::chrono::microseconds(1));
    const SteadyTime next = deliverer_->last_tick();
    ASSERT_TRUE(Eventually([&] { return deliverer_->last_tick() > next; }));
  }

  std::shared_ptr<jq::Compiler> compiler_ = jq::LoadCompiler().value();
  std::unique_ptr<store::Store> store_ = store::MakeMemoryStore();
  fakes::FakeClock clock_;
  fakes::FakeRandom random_;
  fakes::FakeLogger log_;
  RecordingObserver observer_;
  std::unique_ptr<Deliverer> deliverer_;
  fakes::FakeTransport* transport_ = nullptr;
};

}  // namespace tw::webhook
