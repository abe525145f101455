// The event streams: every change is serialised once and fanned out to all watchers, each with a bounded
// queue. A watcher whose queue is full is ended, as the real service does (reference page section 3.4). Any
// thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "model/book.h"
#include "model/watch_filter.h"
#include "service/faults.h"
#include "service/scheduler.h"
#include "wire/authservice.pb.h"

namespace tw::sandbox {

class Watcher;

class WatchHub {
 public:
  using Reactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;

  // Borrows faults and scheduler. `queue_limit`: events a watcher may lag behind.
  WatchHub(Release release, Faults& faults, Scheduler& scheduler, std::size_t queue_limit);
  ~WatchHub();  // ends all streams with UNAVAILABLE and waits until they are gone

  // A stream that matches any of `filters`; INIT first, which lists `accepted`. Owned by gRPC and the hub.
  Reactor* Open(std::vector<WatchFilter> filters, const proto::Watch& accepted);
  // A stream that only says no.
  static Reactor* Refuse(const Refusal& refusal);

  void Publish(const Change& change);
  void PublishUnknown();
  void EndAll(const StreamEnd& end);  // at once, what is queued is lost
  void ArmEnd(const StreamEnd& end);  // open streams end after so many further events

  // While held nothing is sent and queues grow without limit; letting go sends all.
  void Hold(bool held);
  // Waits until every watcher has read down to half its limit. False: time out or stopped.
  bool WaitForRoom(std::chrono::milliseconds timeout, std::stop_token stop);
  // Waits until at least `count` streams have had their INIT.
  bool WaitForWatchers(std::size_t count, std::chrono::milliseconds timeout, std::stop_token stop);
  std::size_t watchers() const;

 private:
  friend class Watcher;
  using Watchers = std::vector<std::shared_ptr<Watcher>>;
  struct Item {
    RequestPtr request;  // what filters look at; null: goes to everybody
    grpc::ByteBuffer bytes;
  };

  void Forget(const Watcher* watcher);
  void SendInit(const std::shared_ptr<Watcher>& watcher, const grpc::ByteBuffer& init);
  void Expand(const Change& change, std::vector<Item>& out);
  // Queues under the lock, then lets the touched watchers write without it.
  void Send(std::unique_lock<std::mutex> lock, const std::vector<Item>& items);
  void FlushHeldBack();
  void NotifyRoom();
  Watchers Snapshot() const;

  const Release release_;
  Faults& faults_;
  Scheduler& scheduler_;
  const std::size_t queue_limit_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  Watchers watchers_;
  std::optional<Item> held_back_;  // by the fault "reorder"
  std::atomic<bool> held_ = false;
  bool closing_ = false;
};

}  // namespace tw::sandbox
