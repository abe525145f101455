#include "daemon/intake.h"

#include <string_view>
#include <unordered_map>
#include <utility>

namespace tw::daemon {

Intake::Intake(store::Store& store, webhook::Deliverer& deliverer, Logger& log, webhook::Router router,
               OnCommitted committed)
    : store_(store),
      deliverer_(deliverer),
      log_(log),
      committed_(std::move(committed)),
      router_(std::move(router)) {}

void Intake::SetRouter(webhook::Router router) {
  std::lock_guard lock(mutex_);
  router_ = std::move(router);
}

std::vector<store::Commitment> Intake::Route(std::vector<access::Change> changes) {
  std::lock_guard lock(mutex_);
  std::vector<store::Commitment> batch;
  batch.reserve(changes.size());
  std::unordered_map<std::string_view, std::size_t> last;  // change of a request in this batch
  for (access::Change& change : changes) {
    store::Commitment commitment;
    // The watcher has not seen what routing the earlier changes of the same batch recorded.
    if (const auto earlier = last.find(change.known.content.id); earlier != last.end())
      change.known.legacy_states = batch[earlier->second].change.known.legacy_states;
    if (change.event) {
      auto route = router_.Route(*change.event, change.known);
      commitment.endpoints = std::move(route.endpoints);
      commitment.unfiltered = std::move(route.unfiltered);
    }
    commitment.change = std::move(change);
    batch.push_back(std::move(commitment));
    last[batch.back().change.known.content.id] = batch.size() - 1;
  }
  return batch;
}

Status Intake::Commit(std::vector<access::Change> changes) {
  const std::vector<store::Commitment> batch = Route(std::move(changes));
  auto committed = store_.CommitAndClaim(batch, deliverer_.Room());
  if (!committed) return committed.error();
  deliverer_.Take(std::move(committed->claimed));
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (committed->fresh[i] && batch[i].change.event) Tell(batch[i]);
  }
  return {};
}

void Intake::Tell(const store::Commitment& commitment) {
  const access::Event& event = *commitment.change.event;
  for (const auto& [endpoint, reason] : commitment.unfiltered) {
    log_.Error(
        "dead letter: the filter of its endpoint failed on the event",
        {{"endpoint", endpoint}, {"event", event.id}, {"request_id", event.request.id}, {"error", reason}});
  }
  committed_(event);
}

}  // namespace tw::daemon
