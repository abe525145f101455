// Several users of one store: threads of a process, and a second process (here: a second store object, which
// shares nothing with the first but the files).
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "contract/store_contract.h"

namespace tw::store {
namespace {

TEST(Sharing, EverythingIsThereAfterAReopening) {
  const TempDir dir;
  {
    auto store = *OpenSqliteStore(dir.path());
    ASSERT_TRUE(store->Commit(std::vector{MakeCommitment("r1", 1), MakeCommitment("r1", 2)}));
    const auto claimed = store->Claim("hook", kStart, 1, "me", kStart + hours(9));
    ASSERT_TRUE(store->Finish(std::vector{PutOff(claimed->front().id, kStart + minutes(5))}));
    ASSERT_TRUE(store->FinishFirstSync());
    EndpointState state;
    state.endpoint = "hook";
    state.hold = HoldKind::kDisabled;
    ASSERT_TRUE(store->SaveEndpoint(state));
  }
  auto store = *OpenSqliteStore(dir.path());
  EXPECT_TRUE(*store->FirstSyncDone());
  EXPECT_TRUE(*store->Find("r1"));
  EXPECT_EQ((*store->FindEndpoint("hook"))->hold, HoldKind::kDisabled);
  EXPECT_EQ(*store->NextDue("hook"), kStart + minutes(5));
  const auto claimed = *store->Claim("hook", kStart + minutes(5), 9, "me", kStart + hours(9));
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].attempts, 1);
  EXPECT_EQ(store->Attempts(claimed[0].id)->size(), 1U);
  EXPECT_EQ(store->Commit(std::vector{MakeCommitment("r1", 2)})->front(), false);
}

TEST(Sharing, ASecondProcessSeesLeasesAndResultsAtOnce) {
  const TempDir dir;
  auto serve = *OpenSqliteStore(dir.path());
  auto send = *OpenSqliteStore(dir.path());
  ASSERT_TRUE(serve->Commit(std::vector{MakeCommitment("r1", 1), MakeCommitment("r2", 2)}));
  const auto mine = *serve->Claim("hook", kStart, 1, "serve", kStart + hours(1));
  EXPECT_FALSE(*send->ClaimOne(mine[0].id, kStart, "send", kStart + hours(1)));
  const auto theirs = *send->Claim("hook", kStart, 9, "send", kStart + hours(1));
  ASSERT_EQ(theirs.size(), 1U);
  ASSERT_TRUE(send->Finish(std::vector{Delivered(theirs[0].id)}));
  ASSERT_TRUE(serve->Finish(std::vector{Died(mine[0].id)}));
  const auto summaries = *send->Summaries();
  ASSERT_EQ(summaries.size(), 1U);
  EXPECT_EQ(summaries[0].delivered, 1);
  EXPECT_EQ(summaries[0].dead, 1);
  EXPECT_EQ(summaries[0].pending, 0);
}

// Intake, two senders and a reader at once: everything is delivered once, in order within each request.
TEST(Sharing, ThreadsNeitherLoseNorRepeatNorReorder) {
  constexpr int kRequests = 40;
  constexpr int kEvents = 10;
  const TempDir dir;
  auto store = *OpenSqliteStore(dir.path());
  std::mutex mutex;
  std::map<std::string, std::vector<std::string>> sent;
  std::atomic<int> delivered{0};

  std::jthread intake([&] {
    for (int n = 1; n <= kEvents; ++n) {
      std::vector<Commitment> batch;
      for (int r = 0; r < kRequests; ++r) batch.push_back(MakeCommitment("r" + std::to_string(r), n));
      EXPECT_TRUE(store->Commit(batch));
    }
  });
  const auto sender = [&](const std::string& owner) {
    while (delivered < kRequests * kEvents) {
      const auto claimed = store->Claim("hook", kStart, 16, owner, kStart + hours(1));
      if (!claimed) return ADD_FAILURE() << claimed.error().message;
      std::vector<AttemptRecord> records;
      for (const Delivery& delivery : *claimed) {
        std::lock_guard lock(mutex);
        sent[delivery.request_id].push_back(delivery.event_id);
        records.push_back(Delivered(delivery.id));
      }
      EXPECT_TRUE(store->Finish(records));
      delivered += static_cast<int>(records.size());
      std::this_thread::yield();
    }
  };
  std::jthread reader([&] {
    while (delivered < kRequests * kEvents) {
      EXPECT_TRUE(store->Find("r0"));
      EXPECT_TRUE(store->Summaries());
      std::this_thread::yield();
    }
  });
  {
    const std::jthread one(sender, "one");
    const std::jthread two(sender, "two");
  }
  ASSERT_EQ(sent.size(), static_cast<std::size_t>(kRequests));
  for (const auto& [request, events] : sent) {
    ASSERT_EQ(events.size(), static_cast<std::size_t>(kEvents)) << request;
    for (int n = 1; n <= kEvents; ++n)
      EXPECT_EQ(events[static_cast<std::size_t>(n - 1)], "evt_" + request + "_" + std::to_string(n));
  }
}

}  // namespace
}  // namespace tw::store
