// Watcher: follows every access request without a gap. It opens the watch, waits for INIT, lists, compares
// with the book, commits what differs, then follows the stream; after every end of the stream, whatever its
// status, the same again with back-off (product.md section 4; reference page sections 3.1 to 3.5).
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "access/access_api.h"
#include "access/reconciler.h"
#include "access/request_book.h"
#include "base/backoff.h"
#include "base/log.h"

namespace tw::access {

struct WatcherOptions {
  SnapshotPolicy snapshot = SnapshotPolicy::kPending;
  std::chrono::milliseconds init_timeout{15'000};  // INIT may wait for the server's cache
  std::chrono::milliseconds call_timeout{30'000};
  std::size_t batch = 512;  // changes in one commit at most
};

// What happens to the watch, for readiness, metrics and the user. Called from the watcher's thread; must not
// block.
class WatchObserver {
 public:
  virtual ~WatchObserver() = default;
  virtual void OnConnected(const ClusterInfo& info) = 0;
  virtual void OnInStep(
      std::size_t recovered) = 0;  // the list was compared; `recovered` events had been missed
  virtual void OnLost(const Error& error, std::chrono::milliseconds retry_in) = 0;
  // Something keeps the watch from being complete ("role lacks list on access_request", a full disk); empty:
  // over.
  virtual void OnImpaired(const std::string& reason) = 0;
  // The loop is alive (for a service watchdog).
  virtual void OnTick() = 0;
};

// Run is for one thread; Resync may be called from any. The references must outlive it.
class Watcher {
 public:
  Watcher(AccessApi& api, RequestBook& book, DecisionBook* decisions, ChangeSink& sink,
          WatchObserver& observer, Clock& clock, Random& random, Logger& log, WatcherOptions options = {});

  // Works until `stop`; never gives up by itself. The error that ended the last session is returned only when
  // `fail_fast` and the very first connection failed.
  Status Run(std::stop_token stop, bool fail_fast = false);
  // Lists and compares once, without following. For `watch --once`.
  Status RunOnce(std::stop_token stop);
  // Asks the running watcher to list and compare now; while it is disconnected, to try again now.
  void Resync();

 private:
  // Waits before the next attempt; false when asked to stop. Resync cuts it short.
  bool Rest(Duration wait, const std::stop_token& stop);
  // From the first Ping to the end of the last stream; always returns why it ended. Streams that are
  // superseded follow each other in one session.
  Error Session(std::stop_token stop, bool& was_in_step);
  Status AwaitInit(EventStream& stream, std::vector<StreamChange>& buffered, std::stop_token stop);
  Status Compare(std::stop_token stop);
  Status ReportAbsent(bool list_was_empty, std::stop_token stop);
  // Applies what look-ups say of the known requests that the list lacked; gives those that are not to be
  // found.
  Result<std::vector<std::string>> LookUpAbsent(std::stop_token stop);
  Status ReportGone(const std::vector<std::string>& ids, std::stop_token stop);
  Status AskForRightsAgain(std::stop_token stop);
  // Does our own role show us every request? An empty list proves nothing otherwise.
  Result<bool> MaySeeAll(bool list_was_empty, std::stop_token stop);
  // Why the stream ended; nullopt: it goes on, but another should take over.
  std::optional<Error> Follow(EventStream& stream, std::vector<StreamChange> buffered, std::stop_token stop);
  // Takes what a superseded stream still brings once its successor is open.
  Status Drain(EventStream& old, std::stop_token stop);
  Status Apply(const std::vector<StreamChange>& changes, std::stop_token stop);
  Status CommitGathered(std::stop_token stop);
  void TellImpairment();
  CallLimits Limits(std::stop_token stop) const { return {options_.call_timeout, std::move(stop)}; }
  Reconciler::LookUp LookUp(std::stop_token stop);

  AccessApi& api_;
  RequestBook& book_;
  ChangeSink& sink_;
  WatchObserver& observer_;
  Clock& clock_;
  Random& random_;
  Logger& log_;
  WatcherOptions options_;
  Reconciler reconciler_;
  std::atomic<bool> resync_{false};
  std::mutex rest_mutex_;
  std::stop_source rest_;  // of the rest under way
  std::size_t recovered_ = 0;
  SteadyTime listed_at_{};
  SteadyTime rights_asked_at_{};
  std::string rights_problem_;
  std::string store_problem_;
  std::string impaired_;
};

}  // namespace tw::access
