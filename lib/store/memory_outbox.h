// The outbox of the Store in memory. Internal; the caller holds the lock.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "store/store.h"

namespace tw::store {

class MemoryOutbox {
 public:
  const Delivery& Add(const Commitment& commitment, const std::string& endpoint, const std::string& json);
  // Adds one that was given up before it was sent.
  void AddDead(const Commitment& commitment, const std::string& endpoint, const std::string& json,
               const std::string& reason);
  // Takes the lease unless another one stands at `now`.
  bool Lease(std::int64_t id, SystemTime now, const std::string& owner, SystemTime until);
  bool IsHead(std::int64_t id) const { return rows_.at(id).head; }

  std::vector<Delivery> Claim(const std::string& endpoint, SystemTime now, std::size_t limit,
                              const std::string& owner, SystemTime until);
  void Finish(const AttemptRecord& record);
  void Release(const std::string& owner);
  std::optional<SystemTime> NextDue(const std::string& endpoint) const;
  void MakeAllDue(const std::string& endpoint);
  const Delivery* Look(std::int64_t id) const;
  std::vector<Delivery> Select(const DeliveryQuery& query) const;
  std::vector<AttemptRecord> Attempts(std::int64_t id) const;
  bool Superseded(std::int64_t id) const;
  bool Remove(std::int64_t id);
  void Count(std::map<std::string, QueueSummary>& summaries) const;

  std::vector<std::int64_t> FinishedBefore(SystemTime horizon) const;
  std::vector<std::int64_t> FreePendingBefore(const std::string& endpoint, SystemTime horizon) const;
  bool Needs(const std::string& event_id) const;

 private:
  struct Row {
    Delivery delivery;
    bool head = false;
    bool waiting = false;  // backed off
    std::deque<AttemptRecord> attempts;
  };
  struct Held {
    std::string owner;
    SystemTime until;
  };
  using Chain = std::pair<std::string, std::string>;     // endpoint, request
  using Place = std::tuple<SystemTime, std::int64_t>;    // due, id
  using Ready = std::map<std::string, std::set<Place>>;  // by endpoint

  Delivery Make(const Commitment& commitment, const std::string& endpoint, const std::string& json);
  void SetHead(std::int64_t id, bool head);
  void Enter(const Row& row);
  void Leave(const Row& row);
  void Reorder(const Chain& chain);
  static Chain ChainOf(const Delivery& d) { return {d.endpoint, d.request_id}; }

  std::map<std::int64_t, Row> rows_;
  std::map<Chain, std::set<std::int64_t>> pending_;
  Ready ready_[2];  // heads: due at once, and backed off
  std::map<std::int64_t, Held> leases_;
  std::int64_t last_id_ = 0;
};

}  // namespace tw::store
