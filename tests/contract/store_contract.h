// What every implementation of the Store is held to: the same tests run on the one in memory and on the
// durable one. Helpers that make commitments and attempts with readable defaults.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "access/event_json.h"
#include "store/memory_store.h"
#include "store/sqlite_store.h"
#include "store/store.h"

namespace tw::store {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

inline constexpr SystemTime kStart{seconds(1'795'000'000)};

// A fresh directory of its own, removed with the object.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "tw-store-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string path() const { return path_.string(); }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// The n-th change of a request, n seconds after the start.
inline Commitment MakeCommitment(const std::string& request, int n,
                                 std::vector<std::string> endpoints = {"hook"}) {
  Commitment commitment;
  access::KnownRequest& known = commitment.change.known;
  known.content.id = request;
  known.content.user = "alice";
  known.content.roles = {"dba"};
  known.content.state = access::RequestState::kPending;
  known.seq = n;
  access::Event event;
  event.type = n == 1 ? access::EventType::kCreated : access::EventType::kUpdated;
  event.id = "evt_" + request + "_" + std::to_string(n);
  event.timestamp = kStart + seconds(n);
  event.cluster = "example.com";
  event.seq = n;
  event.request = known.content;
  commitment.change.event = std::move(event);
  commitment.endpoints = std::move(endpoints);
  return commitment;
}

inline Commitment MakeGone(const std::string& request, int n, std::vector<std::string> endpoints = {}) {
  Commitment commitment = MakeCommitment(request, n, std::move(endpoints));
  commitment.change.known.gone = true;
  commitment.change.event->type = access::EventType::kDeleted;
  return commitment;
}

inline AttemptRecord Attempted(std::int64_t id, DeliveryStatus status, int http, SystemTime at = kStart) {
  AttemptRecord record;
  record.delivery_id = id;
  record.status = status;
  record.at = at;
  record.took = milliseconds(20);
  record.http_status = http;
  return record;
}
inline AttemptRecord Delivered(std::int64_t id, SystemTime at = kStart) {
  return Attempted(id, DeliveryStatus::kDelivered, 200, at);
}
inline AttemptRecord Died(std::int64_t id, SystemTime at = kStart) {
  AttemptRecord record = Attempted(id, DeliveryStatus::kDead, 400, at);
  record.error = "400 Bad Request";
  return record;
}
inline AttemptRecord PutOff(std::int64_t id, SystemTime due, SystemTime at = kStart) {
  AttemptRecord record = Attempted(id, DeliveryStatus::kPending, 503, at);
  record.error = "503 Service Unavailable";
  record.due = due;
  return record;
}

inline std::vector<std::string> EventIds(const std::vector<Delivery>& deliveries) {
  std::vector<std::string> ids;
  for (const Delivery& delivery : deliveries) ids.push_back(delivery.event_id);
  return ids;
}

class StoreContract : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { store_ = Open(); }

  std::unique_ptr<Store> Open() {
    if (std::string_view(GetParam()) == "Memory") return MakeMemoryStore();
    auto opened = OpenSqliteStore(dir_.path());
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
  }

  // Commits and expects it to work.
  std::vector<bool> Commit(const std::vector<Commitment>& batch) {
    const auto committed = store_->Commit(batch);
    EXPECT_TRUE(committed) << committed.error().message;
    return committed.value_or(std::vector<bool>());
  }
  std::vector<Delivery> Claim(SystemTime now, std::size_t limit = 100, const std::string& endpoint = "hook",
                              const std::string& owner = "me") {
    auto claimed = store_->Claim(endpoint, now, limit, owner, now + minutes(1));
    EXPECT_TRUE(claimed) << claimed.error().message;
    return claimed.value_or(std::vector<Delivery>());
  }
  Delivery ClaimSingle(SystemTime now) {
    const auto claimed = Claim(now, 1);
    EXPECT_EQ(claimed.size(), 1U);
    return claimed.empty() ? Delivery() : claimed.front();
  }
  void Finish(const AttemptRecord& record) { EXPECT_TRUE(store_->Finish({&record, 1})); }
  Delivery Look(std::int64_t id) {
    DeliveryQuery query;
    query.delivery_id = id;
    const auto found = store_->Deliveries(query);
    EXPECT_TRUE(found && found->size() == 1U);
    return found && !found->empty() ? found->front() : Delivery();
  }
  QueueSummary Summary(const std::string& endpoint = "hook") {
    for (QueueSummary& summary : store_->Summaries().value_or(std::vector<QueueSummary>())) {
      if (summary.endpoint == endpoint) return summary;
    }
    return {};
  }
  // Sweeps until there is no more to do.
  void SweepAll(SystemTime now, std::size_t limit = 100, std::span<const std::string> served = {}) {
    for (int step = 0; step < 1000; ++step) {
      const auto more = store_->Sweep(now, hours(1), limit, served);
      ASSERT_TRUE(more) << more.error().message;
      if (!*more) return;
    }
    FAIL() << "sweeping did not end";
  }

  TempDir dir_;
  std::unique_ptr<Store> store_;
};

inline const auto kBothStores = testing::Values("Memory", "Sqlite");
inline std::string NameOfStore(const testing::TestParamInfo<const char*>& store) {
  return store.param;
}

}  // namespace tw::store
