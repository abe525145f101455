// Reconciler: turns what Teleport says about a request into the change since it was last reported. Pure
// bookkeeping over the RequestBook; it asks Teleport only where the sources contradict each other (product.md
// section 4).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "access/access_api.h"
#include "access/decision.h"
#include "access/event.h"
#include "access/request_book.h"

namespace tw::access {

// What of the first list becomes events: pending requests, nothing, or everything (the `watch` verb).
enum class SnapshotPolicy { kPending, kNone, kAll };

// Not thread-safe: one watcher thread uses it. The references must outlive it.
class Reconciler {
 public:
  using LookUp = std::function<Result<std::optional<AccessRequest>>(const std::string& id)>;

  // `decisions` may be null.
  Reconciler(RequestBook& book, DecisionBook* decisions, Clock& clock, SnapshotPolicy policy)
      : book_(book), decisions_(decisions), clock_(clock), policy_(policy) {}

  void SetCluster(const ClusterInfo& info);

  // Starts a comparison with the full list. `first` when the store has never been in step before. Events of
  // the stream that contradict what was listed are looked up, until ForgetList.
  void BeginList(bool first);
  Status OnListed(const AccessRequest& request, const LookUp& look_up);
  // Known requests that the list lacked. Call after the last OnListed.
  Result<std::vector<std::string>> Absent();
  // A known request that Teleport does not have any more.
  Status OnGone(const std::string& id, EventSource source);
  // The time in which events older than the list may still arrive is over.
  void ForgetList() { listed_.clear(); }

  Status OnStream(const StreamChange& change, const LookUp& look_up);

  // The changes gathered since the last call, in order.
  std::vector<Change> TakeChanges();

 private:
  Result<std::optional<KnownRequest>> Known(const std::string& id);
  Status OnPut(const AccessRequest& request, EventSource source, const LookUp& look_up);
  Status Report(const std::optional<KnownRequest>& known, const AccessRequest& now, EventSource source);
  Result<Event> MakeEvent(EventType type, const KnownRequest& known, EventSource source);
  void Append(KnownRequest known, std::optional<Event> event);
  bool Silent(EventSource source, const AccessRequest& request) const;

  RequestBook& book_;
  DecisionBook* decisions_;
  Clock& clock_;
  SnapshotPolicy policy_;
  std::string cluster_;
  std::string proxy_address_;
  bool first_list_ = false;
  std::unordered_set<std::string> listed_;  // ids in the last list that the stream has not mentioned since
  std::unordered_map<std::string, KnownRequest> fresh_;  // records not committed yet
  std::vector<Change> changes_;
};

}  // namespace tw::access
