// Contract of the Store: who may go, and when.
#include "contract/store_contract.h"

namespace tw::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StoreOrder : public StoreContract {
 protected:
  const SystemTime later_ = kStart + hours(1);
};

TEST_P(StoreOrder, HandsOutTheOldestFirstAndNoMoreThanAsked) {
  Commit({MakeCommitment("r3", 3), MakeCommitment("r1", 1), MakeCommitment("r2", 2)});
  EXPECT_THAT(EventIds(Claim(later_, 2)), ElementsAre("evt_r1_1", "evt_r2_2"));
  EXPECT_THAT(EventIds(Claim(later_, 2)), ElementsAre("evt_r3_3"));
  EXPECT_THAT(Claim(later_, 0), IsEmpty());
}

TEST_P(StoreOrder, SendsOneEventOfARequestAtATime) {
  Commit({MakeCommitment("r1", 1), MakeCommitment("r1", 2), MakeCommitment("r1", 3)});
  const Delivery first = ClaimSingle(later_);
  EXPECT_EQ(first.event_id, "evt_r1_1");
  EXPECT_THAT(Claim(later_), IsEmpty());
  Finish(Delivered(first.id));
  const Delivery second = ClaimSingle(later_);
  EXPECT_EQ(second.event_id, "evt_r1_2");
  Finish(PutOff(second.id, later_ + minutes(1)));
  EXPECT_THAT(Claim(later_), IsEmpty());
  EXPECT_THAT(EventIds(Claim(later_ + minutes(1))), ElementsAre("evt_r1_2"));
}

TEST_P(StoreOrder, KeepsEndpointsApart) {
  Commit({MakeCommitment("r1", 1, {"hook", "pager"}), MakeCommitment("r1", 2, {"hook", "pager"})});
  const Delivery first = ClaimSingle(later_);
  Finish(Delivered(first.id));
  EXPECT_THAT(EventIds(Claim(later_, 10, "hook")), ElementsAre("evt_r1_2"));
  EXPECT_THAT(EventIds(Claim(later_, 10, "pager")), ElementsAre("evt_r1_1"));
}

TEST_P(StoreOrder, LetsTheNextGoWhenTheFirstIsDead) {
  Commit({MakeCommitment("r1", 1), MakeCommitment("r1", 2)});
  Finish(Died(ClaimSingle(later_).id));
  EXPECT_THAT(EventIds(Claim(later_)), ElementsAre("evt_r1_2"));
}

TEST_P(StoreOrder, WhatNoFilterCouldDecideIsADeadLetterThatHoldsNothingUp) {
  Commitment first = MakeCommitment("r1", 1, {"pager"});
  first.unfiltered = {{"hook", "conf:1: when: jq: failed"}};
  Commit({first, MakeCommitment("r1", 2)});
  EXPECT_THAT(EventIds(Claim(later_)), ElementsAre("evt_r1_2"));
  EXPECT_THAT(EventIds(Claim(later_, 10, "pager")), ElementsAre("evt_r1_1"));
  DeliveryQuery query;
  query.status = DeliveryStatus::kDead;
  const auto dead = store_->Deliveries(query).value();
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_EQ(dead[0].event_id, "evt_r1_1");
  EXPECT_EQ(dead[0].endpoint, "hook");
  EXPECT_EQ(dead[0].last_error, "conf:1: when: jq: failed");
  EXPECT_EQ(dead[0].attempts, 0);
  EXPECT_EQ(Summary().dead, 1);
  EXPECT_EQ(Summary().pending, 1);
  // By hand it goes out like any other.
  const auto taken = store_->ClaimOne(dead[0].id, later_, "hand", later_ + minutes(1)).value();
  ASSERT_TRUE(taken);
  Finish(Delivered(taken->id, later_));
  EXPECT_EQ(Look(taken->id).status, DeliveryStatus::kDelivered);
  EXPECT_EQ(Summary().dead, 0);
  // And it is forgotten in its time.
  SweepAll(later_ + hours(2));
  EXPECT_EQ(Summary().delivered, 0);
}

TEST_P(StoreOrder, CommitsBehindWhatWaits) {
  Commit({MakeCommitment("r1", 1)});
  const Delivery first = ClaimSingle(later_);
  Commit({MakeCommitment("r1", 2)});
  EXPECT_THAT(Claim(later_), IsEmpty());
  Finish(Delivered(first.id));
  Commit({MakeCommitment("r1", 3)});
  EXPECT_THAT(EventIds(Claim(later_)), ElementsAre("evt_r1_2"));
}

TEST_P(StoreOrder, ANewEventIsDueEvenWhenTheClockWasSetBack) {
  Commit({MakeCommitment("r1", 1)});
  EXPECT_EQ(Claim(kStart - hours(5)).size(), 1U);
}

TEST_P(StoreOrder, APutOffDeliveryWaitsUntilItIsDue) {
  Commit({MakeCommitment("r1", 1)});
  Finish(PutOff(ClaimSingle(later_).id, later_ + minutes(10), later_));
  EXPECT_THAT(Claim(later_ + minutes(9)), IsEmpty());
  const Delivery again = ClaimSingle(later_ + minutes(10));
  EXPECT_EQ(again.attempts, 1);
  EXPECT_EQ(again.first_attempt, later_);
  EXPECT_EQ(again.last_status, 503);
  EXPECT_EQ(again.last_error, "503 Service Unavailable");
  EXPECT_EQ(again.due, later_ + minutes(10));
}

TEST_P(StoreOrder, TheLongestDueOfOldAndNewGoesFirst) {
  Commit({MakeCommitment("r1", 1)});
  Finish(PutOff(ClaimSingle(kStart + seconds(1)).id, kStart + seconds(5)));
  Commit({MakeCommitment("r2", 4), MakeCommitment("r3", 6)});
  EXPECT_THAT(EventIds(Claim(later_)), ElementsAre("evt_r2_4", "evt_r1_1", "evt_r3_6"));
}

TEST_P(StoreOrder, MakesEverythingDueInItsOriginalOrder) {
  Commit({MakeCommitment("r1", 1), MakeCommitment("r2", 2), MakeCommitment("r3", 3),
          MakeCommitment("p", 1, {"pager"})});
  const auto claimed = Claim(later_);
  Finish(PutOff(claimed[0].id, later_ + hours(3)));
  Finish(PutOff(claimed[1].id, later_ + hours(2)));
  Finish(PutOff(Claim(later_, 1, "pager").front().id, later_ + hours(2)));
  EXPECT_THAT(Claim(later_), IsEmpty());
  EXPECT_TRUE(store_->MakeAllDue("hook"));
  Finish(PutOff(claimed[2].id, later_ + hours(1)));
  EXPECT_THAT(EventIds(Claim(later_)), ElementsAre("evt_r1_1", "evt_r2_2"));
  EXPECT_THAT(Claim(later_, 10, "pager"), IsEmpty());
}

TEST_P(StoreOrder, TellsWhenTheNextFallsDue) {
  EXPECT_EQ(*store_->NextDue("hook"), std::nullopt);
  Commit({MakeCommitment("r1", 1), MakeCommitment("r1", 2), MakeCommitment("r2", 2)});
  EXPECT_LE((*store_->NextDue("hook")).value(), later_);
  const auto claimed = Claim(later_);
  ASSERT_EQ(claimed.size(), 2U);
  // Everything is under way: the end of the leases is the next time to look.
  EXPECT_EQ(*store_->NextDue("hook"), later_ + minutes(1));
  Finish(PutOff(claimed[1].id, later_ + seconds(30)));
  EXPECT_EQ(*store_->NextDue("hook"), later_ + seconds(30));
  Finish(Delivered(claimed[0].id));
  EXPECT_LE((*store_->NextDue("hook")).value(), later_);
}

TEST_P(StoreOrder, ADeadLetterSentAgainGoesBeforeTheLaterEvents) {
  Commit({MakeCommitment("r1", 1), MakeCommitment("r1", 2)});
  const Delivery first = ClaimSingle(later_);
  Finish(Died(first.id));
  ASSERT_TRUE(*store_->ClaimOne(first.id, later_, "by hand", later_ + minutes(1)));
  Finish(PutOff(first.id, kStart));
  EXPECT_THAT(EventIds(Claim(later_)), ElementsAre("evt_r1_1"));
  Finish(Delivered(first.id));
  EXPECT_THAT(EventIds(Claim(later_)), ElementsAre("evt_r1_2"));
}

TEST_P(StoreOrder, ADeadLetterSentAgainWaitsForTheOneUnderWay) {
  Commit({MakeCommitment("r1", 1), MakeCommitment("r1", 2), MakeCommitment("r1", 3)});
  const Delivery first = ClaimSingle(later_);
  Finish(Died(first.id));
  const Delivery second = ClaimSingle(later_);
  ASSERT_TRUE(*store_->ClaimOne(first.id, later_, "by hand", later_ + minutes(1)));
  Finish(PutOff(first.id, kStart));
  EXPECT_THAT(Claim(later_), IsEmpty());
  Finish(PutOff(second.id, later_));
  EXPECT_THAT(EventIds(Claim(later_)), ElementsAre("evt_r1_1"));
  Finish(Delivered(first.id));
  EXPECT_THAT(EventIds(Claim(later_)), ElementsAre("evt_r1_2"));
}

TEST_P(StoreOrder, TwoDeadLettersSentAgainKeepTheirOrder) {
  Commit({MakeCommitment("r1", 1), MakeCommitment("r1", 2), MakeCommitment("r1", 3)});
  const Delivery first = ClaimSingle(later_);
  Finish(Died(first.id));
  const Delivery second = ClaimSingle(later_);
  Finish(Died(second.id));
  const Delivery third = ClaimSingle(later_);
  Finish(PutOff(second.id, kStart));
  Finish(PutOff(first.id, kStart));
  EXPECT_THAT(Claim(later_), IsEmpty());
  Finish(Delivered(third.id));
  for (const Delivery* expected : {&first, &second}) {
    const Delivery next = ClaimSingle(later_);
    EXPECT_EQ(next.id, expected->id);
    EXPECT_THAT(Claim(later_), IsEmpty());
    Finish(Delivered(next.id));
  }
  EXPECT_THAT(Claim(later_), IsEmpty());
}

TEST_P(StoreOrder, DiscardingTheFirstLetsTheNextGo) {
  Commit({MakeCommitment("r1", 1), MakeCommitment("r1", 2)});
  const Delivery first = ClaimSingle(later_);
  EXPECT_TRUE(store_->Discard(first.id));
  EXPECT_THAT(EventIds(Claim(later_)), ElementsAre("evt_r1_2"));
  Finish(Delivered(first.id));  // its attempt comes back late and finds nothing
  EXPECT_EQ(Summary().delivered, 0);
  const Status again = store_->Discard(first.id);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kNotFound);
}

TEST_P(StoreOrder, NeverGivesAnIdToASecondDelivery) {
  Commit({MakeCommitment("r1", 1)});
  const Delivery first = ClaimSingle(later_);
  EXPECT_TRUE(store_->Discard(first.id));
  Commit({MakeCommitment("r2", 2)});
  EXPECT_GT(ClaimSingle(later_).id, first.id);
}

INSTANTIATE_TEST_SUITE_P(Both, StoreOrder, kBothStores, NameOfStore);

}  // namespace
}  // namespace tw::store
