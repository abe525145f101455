// A watcher over a fake cluster and a book in memory; collects what is committed.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "access/memory_book.h"
#include "access/watcher.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_logger.h"
#include "fakes/fake_random.h"
#include "fakes/fake_teleport.h"

namespace tw::access {

class CollectingSink final : public ChangeSink {
 public:
  explicit CollectingSink(MemoryBook& book) : book_(book) {}
  Status Commit(std::vector<Change> changes) override {
    if (!errors.empty()) {
      const Error error = errors.front();
      errors.pop_front();
      return error;
    }
    if (failures > 0) {
      --failures;
      return Error{ErrorKind::kFailure, "disk full", "make room", true};
    }
    largest = std::max(largest, changes.size());
    for (Change& change : changes) {
      book_.Keep(change.known);
      if (change.event) events.push_back(std::move(*change.event));
    }
    return {};
  }
  int failures = 0;
  std::deque<Error> errors;  // of the next commits
  std::size_t largest = 0;   // changes in one commit
  std::vector<Event> events;

 private:
  MemoryBook& book_;
};

class CountingObserver final : public WatchObserver {
 public:
  void OnConnected(const ClusterInfo&) override { ++connected; }
  void OnInStep(std::size_t count) override { ++in_step, recovered += count; }
  void OnLost(const Error& error, std::chrono::milliseconds retry_in) override {
    lost.push_back(error.message);
    waits.push_back(retry_in);
  }
  void OnImpaired(const std::string& reason) override { impaired.push_back(reason); }
  void OnTick() override {}
  int connected = 0;
  int in_step = 0;
  std::size_t recovered = 0;
  std::vector<std::string> lost;
  std::vector<std::chrono::milliseconds> waits;
  std::vector<std::string> impaired;
};

struct WatcherHarness {
  fakes::FakeClock clock;
  fakes::FakeRandom random;
  fakes::FakeLogger log;
  fakes::FakeTeleport teleport{clock};
  MemoryBook book;
  CollectingSink sink{book};
  CountingObserver observer;
  std::stop_source stop;

  // Runs sessions until the cluster has been idle for `idles` reads; each idle moment may act.
  void RunUntilIdle(std::function<void(int)> act = {}, int idles = 1,
                    SnapshotPolicy policy = SnapshotPolicy::kPending) {
    int idle = 0;
    stop = std::stop_source();
    teleport.OnIdle([&, this] {
      if (act) act(idle);
      if (++idle >= idles) stop.request_stop();
    });
    WatcherOptions options;
    options.snapshot = policy;
    Watcher watcher(teleport, book, nullptr, sink, observer, clock, random, log, options);
    ASSERT_TRUE(watcher.Run(stop.get_token()).has_value());
  }

  std::vector<std::string> Told() const {
    std::vector<std::string> out;
    for (const Event& event : sink.events) {
      out.push_back(event.request.id + " " + std::string(EventTypeName(event.type).substr(15)) + " " +
                    std::string(EventSourceName(event.source)));
    }
    return out;
  }
};

inline Error StreamEnd(const std::string& status) {
  return {ErrorKind::kUnreachable, "stream ended: " + status, {}, true};
}

}  // namespace tw::access
