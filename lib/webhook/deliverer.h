// Deliverer: sends what waits in the store. One thread runs all requests (HttpTransport), the clerk's thread
// talks to the store. The store keeps the order within a request; here endpoints are kept apart, so that a
// slow or dead one delays no other. Memory is bounded by kWindow deliveries an endpoint, however long the
// queue in the store.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "store/store.h"
#include "webhook/clerk.h"
#include "webhook/delivery_observer.h"
#include "webhook/endpoint_plan.h"
#include "webhook/http_transport.h"
#include "webhook/lane.h"

namespace tw::webhook {

// The references must outlive it. Start, Stop, Hurry, SetEndpoints, Notify, Room and Take are safe from any
// thread.
class Deliverer {
 public:
  // `owner` names this process's leases.
  Deliverer(store::Store& store, std::unique_ptr<HttpTransport> transport, Clock& clock, Random& random,
            Logger& log, DeliveryObserver& observer, std::string owner);
  ~Deliverer();

  // Puts these endpoints in force. Deliveries of others stay in the store. Error: the store cannot tell the
  // endpoints' states; nothing changes then.
  Status SetEndpoints(std::vector<EndpointPlan> plans);
  void Start();
  // Lets requests under way finish for `drain` at most, then gives everything back to the store.
  void Stop(std::chrono::milliseconds drain);
  // Ends the waiting of Stop, also of one that comes later.
  void Hurry();

  // New deliveries wait in the store. Cheap.
  void Notify();
  // What a commit may hand over directly (store::Store::CommitAndClaim), and the handing over.
  store::ClaimOnCommit Room();
  void Take(std::vector<store::Delivery> claimed);

  // When the sending thread last showed a sign of life.
  SteadyTime last_tick() const;

 private:
  struct Inbox;
  struct UnderWay {
    store::Delivery delivery;
    SystemTime began;
    std::string url_digest;  // of where it went: a reload may have changed that before the answer
    std::chrono::milliseconds held_total{0};  // of the endpoint when it began
  };

  void Loop();
  void TakeInbox();
  void Receive(const HttpAnswer& answer);
  void Pump();
  void MindTheClock(SystemTime now);
  void Ask(Lane& lane, SystemTime now);
  void Save(Lane& lane);
  std::chrono::milliseconds Wait() const;
  void ReplaceLanes(std::vector<Lane> lanes);
  void TakeErrand(Errand errand);
  void Send(Lane& lane, store::Delivery delivery);
  void GiveBack(Lane& lane);
  void Record(store::AttemptRecord record) { finished_.push_back(std::move(record)); }
  // What the answer makes of the delivery; `lane` is null when its endpoint was removed or moved meanwhile.
  store::AttemptRecord Conclude(const UnderWay& sent, const HttpAnswer& answer, const Judgement& judgement,
                                Lane* lane);
  void TellChange(Lane& lane, EndpointHealth::Change change);
  void PublishRoom();
  bool Drained();
  Lane* FindLane(const std::string& endpoint);

  Clock& clock_;
  Random& random_;
  Logger& log_;
  DeliveryObserver& observer_;
  store::Store& store_;
  std::unique_ptr<HttpTransport> transport_;
  Clerk clerk_;
  std::unique_ptr<Inbox> inbox_;
  // From here on the loop's own.
  std::vector<Lane> lanes_;
  std::unordered_map<std::uint64_t, UnderWay> under_way_;
  SystemTime latest_;                           // the clock, as last seen
  std::vector<store::AttemptRecord> finished_;  // handed to the clerk once a round
  std::uint64_t next_call_ = 1;
  std::atomic<std::int64_t> last_tick_{0};
  std::atomic<bool> draining_{false};
  std::atomic<bool> hurried_{false};
  std::atomic<std::int64_t> drain_until_{0};  // steady clock, nanoseconds
  std::jthread thread_;
};

}  // namespace tw::webhook
