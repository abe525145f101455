// Contract of the Store: leases, attempts and what a person sees of them.
#include "contract/store_contract.h"

namespace tw::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StoreLease : public StoreContract {
 protected:
  const SystemTime later_ = kStart + hours(1);
};

TEST_P(StoreLease, NobodyElseGetsWhatIsLeased) {
  Commit({MakeCommitment("r1", 1)});
  const Delivery mine = ClaimSingle(later_);
  EXPECT_THAT(Claim(later_ + seconds(59), 10, "hook", "other"), IsEmpty());
  EXPECT_FALSE(*store_->ClaimOne(mine.id, later_ + seconds(59), "other", later_ + hours(1)));
}

TEST_P(StoreLease, ALeaseThatRanOutCountsForNothing) {
  Commit({MakeCommitment("r1", 1)});
  ClaimSingle(later_);
  EXPECT_EQ(Claim(later_ + minutes(1), 10, "hook", "other").size(), 1U);
}

TEST_P(StoreLease, ReleasesTheLeasesOfOneOwner) {
  Commit({MakeCommitment("r1", 1), MakeCommitment("r2", 2)});
  Claim(later_, 1, "hook", "crashed");
  Claim(later_, 1, "hook", "other");
  EXPECT_TRUE(store_->ReleaseLeases("crashed"));
  EXPECT_THAT(EventIds(Claim(later_)), ElementsAre("evt_r1_1"));
}

TEST_P(StoreLease, AnAttemptThatWasNotMadeIsNotCounted) {
  Commit({MakeCommitment("r1", 1)});
  AttemptRecord given_back = Attempted(ClaimSingle(later_).id, DeliveryStatus::kPending, 0, later_);
  given_back.counted = false;
  Finish(given_back);
  const Delivery again = ClaimSingle(later_);
  EXPECT_EQ(again.attempts, 0);
  EXPECT_FALSE(again.first_attempt);
  EXPECT_THAT(*store_->Attempts(again.id), IsEmpty());
}

TEST_P(StoreLease, ClaimsOneByHandWhateverItsState) {
  Commit(
      {MakeCommitment("r1", 1), MakeCommitment("r2", 2), MakeCommitment("r3", 3), MakeCommitment("r3", 4)});
  const auto claimed = Claim(later_);
  Finish(Delivered(claimed[0].id));
  Finish(Died(claimed[1].id));
  Finish(PutOff(claimed[2].id, later_ + hours(1)));
  const auto all = *store_->Deliveries({});
  EXPECT_EQ(all.size(), 4U);
  for (const Delivery& delivery : all) {
    const auto one = store_->ClaimOne(delivery.id, later_, "by hand", later_ + minutes(1));
    ASSERT_TRUE(one && *one) << delivery.id;
    EXPECT_EQ((*one)->event_id, delivery.event_id);
    EXPECT_EQ((*one)->event_json, delivery.event_json);
    EXPECT_EQ((*one)->status, delivery.status);
  }
  EXPECT_FALSE(*store_->ClaimOne(999, later_, "by hand", later_ + minutes(1)));
}

TEST_P(StoreLease, KeepsWhenAndHowADeliveryEnded) {
  Commit({MakeCommitment("r1", 1)});
  AttemptRecord record = PutOff(ClaimSingle(later_).id, later_ + seconds(5), later_);
  record.held_total = minutes(7);
  Finish(record);
  AttemptRecord last = Delivered(record.delivery_id, later_ + seconds(6));
  last.held_total = minutes(9);
  Finish(last);
  const Delivery delivery = Look(record.delivery_id);
  EXPECT_EQ(delivery.status, DeliveryStatus::kDelivered);
  EXPECT_EQ(delivery.attempts, 2);
  EXPECT_EQ(delivery.first_attempt, later_);
  EXPECT_EQ(delivery.held_before_first, minutes(7));
  EXPECT_EQ(delivery.finished, later_ + seconds(6) + milliseconds(20));
  EXPECT_EQ(delivery.last_status, 200);
  EXPECT_EQ(delivery.last_error, "");
}

TEST_P(StoreLease, TellsTheAttemptsOldestFirst) {
  Commit({MakeCommitment("r1", 1)});
  const std::int64_t id = ClaimSingle(later_).id;
  Finish(PutOff(id, later_ + seconds(5), later_));
  Finish(Delivered(id, later_ + seconds(6)));
  const auto attempts = store_->Attempts(id);
  ASSERT_TRUE(attempts);
  ASSERT_EQ(attempts->size(), 2U);
  EXPECT_EQ(attempts->at(0).at, later_);
  EXPECT_EQ(attempts->at(0).http_status, 503);
  EXPECT_EQ(attempts->at(0).error, "503 Service Unavailable");
  EXPECT_EQ(attempts->at(1).status, DeliveryStatus::kDelivered);
  EXPECT_EQ(attempts->at(1).took, milliseconds(20));
}

TEST_P(StoreLease, TellsTheAttemptOfADeliverySentOnceAndThenAgain) {
  Commit({MakeCommitment("r1", 1)});
  const std::int64_t id = ClaimSingle(later_).id;
  Finish(Delivered(id, later_));
  const auto once = *store_->Attempts(id);
  ASSERT_EQ(once.size(), 1U);
  EXPECT_EQ(once[0].at, later_);
  EXPECT_EQ(once[0].took, milliseconds(20));
  EXPECT_EQ(once[0].http_status, 200);
  Finish(Delivered(id, later_ + hours(1)));
  const auto twice = *store_->Attempts(id);
  ASSERT_EQ(twice.size(), 2U);
  EXPECT_EQ(twice[0].at, later_);
  EXPECT_EQ(twice[1].at, later_ + hours(1));
}

TEST_P(StoreLease, KeepsOnlyTheLastAttempts) {
  Commit({MakeCommitment("r1", 1)});
  const std::int64_t id = ClaimSingle(later_).id;
  for (int i = 0; i < kAttemptsKept + 5; ++i) Finish(PutOff(id, later_, kStart + seconds(i)));
  const auto attempts = *store_->Attempts(id);
  ASSERT_EQ(attempts.size(), static_cast<std::size_t>(kAttemptsKept));
  EXPECT_EQ(attempts.front().at, kStart + seconds(5));
  EXPECT_EQ(Look(id).attempts, kAttemptsKept + 5);
}

TEST_P(StoreLease, CountsTheQueueOfEachEndpoint) {
  Commit({MakeCommitment("r1", 1), MakeCommitment("r2", 2), MakeCommitment("r3", 3), MakeCommitment("r3", 4),
          MakeCommitment("r4", 5, {"pager"})});
  const auto claimed = Claim(later_);
  Finish(Delivered(claimed[0].id));
  Finish(Died(claimed[1].id));
  QueueSummary hook = Summary();
  EXPECT_EQ(hook.pending, 2);
  EXPECT_EQ(hook.delivered, 1);
  EXPECT_EQ(hook.dead, 1);
  EXPECT_EQ(hook.oldest_pending, kStart + seconds(3));
  EXPECT_EQ(Summary("pager").pending, 1);
  Finish(PutOff(claimed[2].id, later_ + hours(1)));
  EXPECT_EQ(Summary().oldest_pending, kStart + seconds(3));
  EXPECT_TRUE(store_->Discard(claimed[1].id));
  EXPECT_EQ(Summary().dead, 0);
  Finish(PutOff(claimed[0].id, later_));
  hook = Summary();
  EXPECT_EQ(hook.pending, 3);
  EXPECT_EQ(hook.delivered, 0);
  EXPECT_EQ(hook.oldest_pending, kStart + seconds(1));
}

TEST_P(StoreLease, FindsDeliveriesByWhatIsAsked) {
  Commit({MakeCommitment("r1", 1), MakeCommitment("r1", 2), MakeCommitment("r2", 3, {"pager"}),
          MakeCommitment("r3", 4)});
  const std::int64_t first = ClaimSingle(later_).id;
  Finish(Died(first));
  const auto ids = [&](DeliveryQuery query) { return EventIds(*store_->Deliveries(query)); };
  EXPECT_THAT(ids({}), ElementsAre("evt_r1_1", "evt_r1_2", "evt_r2_3", "evt_r3_4"));
  DeliveryQuery query;
  query.status = DeliveryStatus::kDead;
  EXPECT_THAT(ids(query), ElementsAre("evt_r1_1"));
  query = {};
  query.endpoint = "pager";
  EXPECT_THAT(ids(query), ElementsAre("evt_r2_3"));
  query = {};
  query.request_id = "r1";
  query.status = DeliveryStatus::kPending;
  EXPECT_THAT(ids(query), ElementsAre("evt_r1_2"));
  query = {};
  query.since = kStart + seconds(3);
  EXPECT_THAT(ids(query), ElementsAre("evt_r2_3", "evt_r3_4"));
  query = {};
  query.limit = 2;
  EXPECT_THAT(ids(query), ElementsAre("evt_r1_1", "evt_r1_2"));
  query.after_id = first + 1;
  EXPECT_THAT(ids(query), ElementsAre("evt_r2_3", "evt_r3_4"));
}

TEST_P(StoreLease, KnowsWhenALaterEventHasBeenDelivered) {
  Commit({MakeCommitment("r1", 1, {"hook", "pager"}), MakeCommitment("r1", 2, {"hook", "pager"}),
          MakeCommitment("r2", 3)});
  const Delivery first = ClaimSingle(later_);
  const Delivery elsewhere = Claim(later_, 1, "pager").front();
  Finish(Died(first.id));
  EXPECT_FALSE(*store_->Superseded(first.id));
  Finish(Delivered(Claim(later_, 1).front().id));
  EXPECT_TRUE(*store_->Superseded(first.id));
  EXPECT_FALSE(*store_->Superseded(elsewhere.id));
  EXPECT_FALSE(*store_->Superseded(999));
}

INSTANTIATE_TEST_SUITE_P(Both, StoreLease, kBothStores, NameOfStore);

}  // namespace
}  // namespace tw::store
