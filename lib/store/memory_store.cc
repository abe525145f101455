#include "store/memory_store.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "access/event_json.h"
#include "store/attempt_rules.h"
#include "store/memory_outbox.h"

namespace tw::store {
namespace {

class MemoryStore final : public Store {
 public:
  Result<std::optional<access::KnownRequest>> Find(const std::string& id) override {
    std::lock_guard lock(mutex_);
    const auto found = requests_.find(id);
    if (found == requests_.end()) return std::optional<access::KnownRequest>();
    return std::optional(found->second.known);
  }
  Result<std::vector<std::string>> LiveIds() override {
    std::lock_guard lock(mutex_);
    std::vector<std::string> ids;
    for (const auto& [id, request] : requests_) {
      if (!request.known.gone) ids.push_back(id);
    }
    return ids;
  }
  Result<bool> FirstSyncDone() override {
    std::lock_guard lock(mutex_);
    return first_sync_done_;
  }
  Status FinishFirstSync() override {
    std::lock_guard lock(mutex_);
    first_sync_done_ = true;
    return {};
  }

  Status Remember(const access::Decision& decision, SystemTime at) override {
    std::lock_guard lock(mutex_);
    decisions_.push_back(
        {decision.request_id,
         decision.state,
         {decision.delegator, decision.via, std::string(DecisionModeName(decision.mode)), at}});
    return {};
  }
  Status Withdraw(const std::string& request_id, access::RequestState state) override {
    std::lock_guard lock(mutex_);
    if (const auto found = FindDecision(request_id, state); found != decisions_.rend())
      decisions_.erase(std::next(found).base());
    return {};
  }
  Result<std::optional<access::DecisionNote>> Find(const std::string& request_id,
                                                   access::RequestState state) override {
    std::lock_guard lock(mutex_);
    const auto found = FindDecision(request_id, state);
    if (found == decisions_.rend()) return std::optional<access::DecisionNote>();
    return std::optional(found->note);
  }

  Result<std::vector<bool>> Commit(std::span<const Commitment> batch) override {
    auto committed = CommitAndClaim(batch, {});
    if (!committed) return committed.error();
    return std::move(committed->fresh);
  }
  Result<Committed> CommitAndClaim(std::span<const Commitment> batch, const ClaimOnCommit& claim) override {
    std::lock_guard lock(mutex_);
    Committed result;
    auto room = claim.room;
    for (const Commitment& commitment : batch) {
      Keep(commitment.change);
      const auto& event = commitment.change.event;
      const bool fresh = event && events_.try_emplace(event->id, *event).second;
      result.fresh.push_back(fresh);
      if (!fresh) continue;
      const std::string json = EventToJson(*event);
      for (const std::string& endpoint : commitment.endpoints) {
        const Delivery& delivery = outbox_.Add(commitment, endpoint, json);
        const auto left = room.find(endpoint);
        if (left == room.end() || left->second == 0 || !outbox_.IsHead(delivery.id)) continue;
        --left->second;
        outbox_.Lease(delivery.id, event->timestamp, claim.owner, claim.lease_until);
        result.claimed.push_back(delivery);
      }
      for (const auto& [endpoint, reason] : commitment.unfiltered)
        outbox_.AddDead(commitment, endpoint, json, reason);
    }
    return result;
  }

  Result<std::vector<Delivery>> Claim(const std::string& endpoint, SystemTime now, std::size_t limit,
                                      const std::string& owner, SystemTime lease_until) override {
    std::lock_guard lock(mutex_);
    return outbox_.Claim(endpoint, now, limit, owner, lease_until);
  }
  Result<std::optional<Delivery>> ClaimOne(std::int64_t delivery_id, SystemTime now, const std::string& owner,
                                           SystemTime lease_until) override {
    std::lock_guard lock(mutex_);
    const Delivery* delivery = outbox_.Look(delivery_id);
    if (delivery == nullptr || !outbox_.Lease(delivery_id, now, owner, lease_until))
      return std::optional<Delivery>();
    return std::optional(*delivery);
  }
  Status Finish(std::span<const AttemptRecord> attempts) override {
    std::lock_guard lock(mutex_);
    for (const AttemptRecord& record : attempts) outbox_.Finish(record);
    return {};
  }
  Status ReleaseLeases(const std::string& owner) override {
    std::lock_guard lock(mutex_);
    outbox_.Release(owner);
    return {};
  }
  Result<std::vector<AttemptRecord>> Attempts(std::int64_t delivery_id) override {
    std::lock_guard lock(mutex_);
    return outbox_.Attempts(delivery_id);
  }
  Result<std::optional<SystemTime>> NextDue(const std::string& endpoint) override {
    std::lock_guard lock(mutex_);
    return outbox_.NextDue(endpoint);
  }
  Status MakeAllDue(const std::string& endpoint) override {
    std::lock_guard lock(mutex_);
    outbox_.MakeAllDue(endpoint);
    return {};
  }

  Result<std::optional<EndpointState>> FindEndpoint(const std::string& endpoint) override {
    std::lock_guard lock(mutex_);
    const auto found = endpoints_.find(endpoint);
    if (found == endpoints_.end()) return std::optional<EndpointState>();
    return std::optional(found->second);
  }
  Status SaveEndpoint(const EndpointState& state) override {
    std::lock_guard lock(mutex_);
    endpoints_[state.endpoint] = state;
    return {};
  }

  Result<std::vector<QueueSummary>> Summaries() override {
    std::lock_guard lock(mutex_);
    std::map<std::string, QueueSummary> by_name;
    for (const auto& [name, state] : endpoints_) by_name[name].state = state;
    outbox_.Count(by_name);
    std::vector<QueueSummary> summaries;
    for (auto& [name, summary] : by_name) {
      summary.endpoint = name;
      summary.state.endpoint = name;
      summaries.push_back(std::move(summary));
    }
    return summaries;
  }
  Result<std::vector<Delivery>> Deliveries(const DeliveryQuery& query) override {
    std::lock_guard lock(mutex_);
    return outbox_.Select(query);
  }
  Result<bool> Superseded(std::int64_t delivery_id) override {
    std::lock_guard lock(mutex_);
    return outbox_.Superseded(delivery_id);
  }
  Status Discard(std::int64_t delivery_id) override {
    std::lock_guard lock(mutex_);
    if (outbox_.Remove(delivery_id)) return {};
    return Error{ErrorKind::kNotFound, "there is no delivery " + std::to_string(delivery_id), {}, false};
  }

  Result<std::optional<ReplayAnswer>> FindReplay(const std::string& caller,
                                                 const std::string& webhook_id) override {
    std::lock_guard lock(mutex_);
    const auto found = replays_.find({caller, webhook_id});
    if (found == replays_.end()) return std::optional<ReplayAnswer>();
    return std::optional(found->second.answer);
  }
  Status SaveReplay(const std::string& caller, const std::string& webhook_id, const ReplayAnswer& answer,
                    SystemTime forget_after) override {
    std::lock_guard lock(mutex_);
    replays_[{caller, webhook_id}] = {answer, forget_after};
    return {};
  }

  Result<bool> Sweep(SystemTime now, std::chrono::milliseconds retain, std::size_t limit,
                     std::span<const std::string> served) override {
    std::lock_guard lock(mutex_);
    std::size_t left = limit;
    GiveUpHeld(now, retain, served, left);
    if (left < limit) return true;  // what came behind them is looked at next
    const SystemTime horizon = now - retain;
    for (const std::int64_t id : outbox_.FinishedBefore(horizon)) {
      if (left == 0) break;
      outbox_.Remove(id);
      --left;
    }
    Forget(events_, left, [&](const auto& event) {
      return event.timestamp < horizon && !outbox_.Needs(event.id) && !Lives(event.request.id, horizon);
    });
    Forget(requests_, left, [&](const Request& request) {
      return request.gone_at && *request.gone_at < horizon && !HasEvents(request.known.content.id);
    });
    Forget(replays_, left, [&](const Replay& replay) { return replay.forget_after < now; });
    left -= std::min(left, std::erase_if(decisions_, [&](const Noted& d) { return d.note.at < horizon; }));
    return left == 0 && limit > 0;
  }

 private:
  struct Request {
    access::KnownRequest known;
    std::optional<SystemTime> gone_at;
  };
  struct Noted {
    std::string request_id;
    access::RequestState state;
    access::DecisionNote note;
  };
  struct Replay {
    ReplayAnswer answer;
    SystemTime forget_after;
  };

  void Keep(const access::Change& change) {
    Request& request = requests_[change.known.content.id];
    request.known = change.known;
    if (!change.known.gone) {
      request.gone_at.reset();
    } else if (!request.gone_at) {
      request.gone_at = change.event
                            ? change.event->timestamp
                            : std::chrono::floor<SystemTime::duration>(std::chrono::system_clock::now());
    }
  }

  std::vector<Noted>::reverse_iterator FindDecision(const std::string& id, access::RequestState state) {
    return std::find_if(decisions_.rbegin(), decisions_.rend(),
                        [&](const Noted& d) { return d.request_id == id && d.state == state; });
  }

  bool Lives(const std::string& request_id, SystemTime horizon) const {
    const auto found = requests_.find(request_id);
    return found != requests_.end() && (!found->second.gone_at || *found->second.gone_at >= horizon);
  }
  bool HasEvents(const std::string& request_id) const {
    return std::any_of(events_.begin(), events_.end(),
                       [&](const auto& entry) { return entry.second.request.id == request_id; });
  }

  void GiveUpHeld(SystemTime now, std::chrono::milliseconds retain, std::span<const std::string> served,
                  std::size_t& left) {
    std::map<std::string, QueueSummary> by_name;
    outbox_.Count(by_name);
    for (const auto& [name, summary] : by_name) {
      const bool is_served = served.empty() || std::find(served.begin(), served.end(), name) != served.end();
      const auto state = endpoints_.find(name);
      if (is_served && (state == endpoints_.end() || state->second.hold == HoldKind::kNone)) continue;
      for (const std::int64_t id : outbox_.FreePendingBefore(name, now - retain)) {
        if (left == 0) return;
        AttemptRecord record;
        record.delivery_id = id;
        record.status = DeliveryStatus::kDead;
        record.at = now;
        record.error = ExpiredReason(retain, is_served);
        record.counted = false;
        outbox_.Finish(record);
        --left;
      }
    }
  }

  template <class Map, class Old>
  static void Forget(Map& map, std::size_t& left, const Old& old) {
    for (auto it = map.begin(); it != map.end() && left > 0;) {
      if (!old(it->second)) {
        ++it;
        continue;
      }
      it = map.erase(it);
      --left;
    }
  }

  std::mutex mutex_;
  std::map<std::string, Request> requests_;
  bool first_sync_done_ = false;
  std::map<std::string, access::Event> events_;  // by event id, which names its request too
  std::vector<Noted> decisions_;
  MemoryOutbox outbox_;
  std::map<std::string, EndpointState> endpoints_;
  std::map<std::pair<std::string, std::string>, Replay> replays_;
};

}  // namespace

std::unique_ptr<Store> MakeMemoryStore() {
  return std::make_unique<MemoryStore>();
}

}  // namespace tw::store
