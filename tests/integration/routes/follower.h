// The real watcher over the real client, in a thread of its own, and all that it reported.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "access/decider.h"
#include "access/memory_book.h"
#include "access/watcher.h"
#include "base/clock.h"
#include "base/random.h"
#include "cluster.h"

namespace tw::routes {

// Counts the lines, and those that hold one sentence.
class CountingLogger final : public Logger {
 public:
  explicit CountingLogger(std::string sentence = {}) : sentence_(std::move(sentence)) {}
  void Write(LogLevel level, std::string_view message, std::span<const LogField> fields) override {
    ++lines_;
    if (level >= LogLevel::kWarning) ++loud_;
    if (!sentence_.empty() && message.find(sentence_) != std::string_view::npos) ++said_;
    kept_.Write(level, message, fields);
  }
  int lines() const { return lines_; }
  int loud() const { return loud_; }  // warnings and errors
  int said() const { return said_; }
  const fakes::FakeLogger& kept() const { return kept_; }

 private:
  const std::string sentence_;
  fakes::FakeLogger kept_;
  std::atomic<int> lines_{0};
  std::atomic<int> loud_{0};
  std::atomic<int> said_{0};
};

class Follower final : public access::ChangeSink, public access::WatchObserver {
 public:
  Follower(access::AccessApi& api, Logger& log)
      : watcher_(api, book_, nullptr, *this, *this, clock_, random_, log, {}),
        thread_([this](std::stop_token stop) { [[maybe_unused]] const Status end = watcher_.Run(stop); }) {}
  ~Follower() override { Stop(); }

  void Stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }
  bool InStep(int times = 1, milliseconds limit = seconds(20)) {
    return Eventually([&] { return in_step_ >= times; }, limit);
  }
  bool Saw(const std::string& id, access::EventType type, milliseconds limit = seconds(20)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return seen_.contains({id, type}); });
  }
  // Waits for the next created request that nobody has taken; empty: none came.
  std::string TakeCreated(milliseconds limit) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, limit, [&] { return taken_ < created_.size(); });
    return taken_ < created_.size() ? created_[taken_++] : std::string();
  }
  // How often each change of each request was reported.
  std::map<std::pair<std::string, access::EventType>, int> seen() const {
    std::lock_guard lock(mutex_);
    return seen_;
  }
  std::vector<access::Event> events() const {
    std::lock_guard lock(mutex_);
    return events_;
  }
  int lost() const { return lost_; }
  int in_step() const { return in_step_; }
  int recovered() const { return recovered_; }

  Status Commit(std::vector<access::Change> changes) override {
    {
      std::lock_guard lock(mutex_);
      for (const access::Change& change : changes) {
        book_.Keep(change.known);
        if (!change.event) continue;
        events_.push_back(*change.event);
        const std::string& id = change.event->request.id;
        ++seen_[{id, change.event->type}];
        const bool passing = change.event->request.reason == "passing";
        if (change.event->type == access::EventType::kCreated && !passing) created_.push_back(id);
      }
    }
    changed_.notify_all();
    return {};
  }
  void OnConnected(const access::ClusterInfo&) override {}
  void OnInStep(std::size_t recovered) override {
    recovered_ += static_cast<int>(recovered);
    ++in_step_;
  }
  void OnLost(const Error&, std::chrono::milliseconds) override { ++lost_; }
  void OnImpaired(const std::string&) override {}
  void OnTick() override {}

 private:
  RealClock clock_;
  SystemRandom random_;
  access::MemoryBook book_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<std::string, access::EventType>, int> seen_;
  std::vector<access::Event> events_;
  std::vector<std::string> created_;
  std::size_t taken_ = 0;
  std::atomic<int> lost_{0};
  std::atomic<int> in_step_{0};
  std::atomic<int> recovered_{0};
  access::Watcher watcher_;
  std::jthread thread_;
};

// People who ask, this installation that approves through its client what it sees, and Teleport that forgets
// what was approved: a steady flow, each step of which waits for the one before to be reported.
class Traffic {
 public:
  Traffic(Cluster& cluster, access::AccessApi& api, Follower& follower, milliseconds pause = milliseconds(5))
      : cluster_(cluster), follower_(follower), decider_(api, nullptr, clock_, quiet_) {
    asker_ = std::jthread([this, pause](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        if (asked_.size() < approved_ + failed_ + kMostUnderWay) asked_.push_back(cluster_.Ask());
        std::this_thread::sleep_for(pause);  // the pace of the flow, nothing waits for it
      }
    });
    approver_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) Approve(follower_.TakeCreated(milliseconds(50)));
    });
  }
  // Lets what is under way come to its end.
  void Finish() {
    asker_ = {};
    EXPECT_TRUE(Eventually([this] { return approved_ + failed_ >= asked_.size(); })) << approved_;
    approver_ = {};
    for (const std::string& id : asked_) {
      EXPECT_TRUE(follower_.Saw(id, access::EventType::kDeleted)) << id;
    }
  }
  const std::vector<std::string>& asked() const { return asked_; }  // after Finish
  std::size_t failed() const { return failed_; }
  std::string why() const { return why_; }

  // Each request was created, approved and deleted once in the eyes of the follower, and nothing else.
  void ExpectEachOnce(std::size_t others = 0) const {
    const auto seen = follower_.seen();
    for (const std::string& id : asked_) {
      for (const auto type :
           {access::EventType::kCreated, access::EventType::kApproved, access::EventType::kDeleted}) {
        const auto found = seen.find({id, type});
        ASSERT_NE(found, seen.end()) << id << " " << access::EventTypeName(type) << " was lost";
        EXPECT_EQ(found->second, 1) << id << " " << access::EventTypeName(type);
      }
    }
    EXPECT_EQ(seen.size(), asked_.size() * 3 + others) << "something else was reported";
  }

 private:
  void Approve(const std::string& id) {
    if (id.empty()) return;
    access::Decision decision;
    decision.request_id = id;
    decision.state = access::RequestState::kApproved;
    const auto outcome = decider_.Decide(decision, Soon());
    if (!outcome || !outcome->changed) {
      if (failed_++ == 0) why_ = outcome ? "it was approved before" : outcome.error().message;
      return;
    }
    if (follower_.Saw(id, access::EventType::kApproved)) {
      EXPECT_TRUE(cluster_->Delete(id));
    }
    ++approved_;
  }

  static constexpr std::size_t kMostUnderWay = 16;

  Cluster& cluster_;
  Follower& follower_;
  RealClock clock_;
  NullLogger quiet_;
  access::Decider decider_;
  std::vector<std::string> asked_;  // the asker's until it ends
  std::atomic<std::size_t> approved_{0};
  std::atomic<std::size_t> failed_{0};
  std::string why_;
  std::jthread asker_;
  std::jthread approver_;
};

}  // namespace tw::routes
