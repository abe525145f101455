// Contract of the Store: endpoints, decisions, replays and housekeeping.
#include "contract/store_contract.h"

namespace tw::store {
namespace {

using access::RequestState;
using testing::ElementsAre;
using testing::IsEmpty;

class StoreBooks : public StoreContract {
 protected:
  static access::Decision Approval(const std::string& by) {
    access::Decision decision;
    decision.request_id = "r1";
    decision.state = RequestState::kApproved;
    decision.delegator = by;
    decision.via = "callback";
    return decision;
  }
  const SystemTime later_ = kStart + hours(1);
  const SystemTime old_ = kStart + hours(3);  // everything of the start is past retention by then
};

TEST_P(StoreBooks, KeepsTheStateOfAnEndpoint) {
  EXPECT_FALSE(*store_->FindEndpoint("hook"));
  Commit({MakeCommitment("r1", 1)});
  EXPECT_FALSE(*store_->FindEndpoint("hook"));
  EndpointState state;
  state.endpoint = "hook";
  state.url_digest = std::string("\0\xff digest", 9);
  state.hold = HoldKind::kBreaker;
  state.hold_since = kStart;
  state.hold_until = kStart + seconds(30);
  state.held_total = milliseconds(1234);
  state.consecutive_failures = 5;
  state.breaker_trips = 2;
  state.last_answer = "503 Service Unavailable";
  state.last_answer_at = kStart;
  ASSERT_TRUE(store_->SaveEndpoint(state));
  const auto found = store_->FindEndpoint("hook");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->url_digest, state.url_digest);
  EXPECT_EQ((*found)->hold, HoldKind::kBreaker);
  EXPECT_EQ((*found)->hold_until, state.hold_until);
  EXPECT_EQ((*found)->held_total, milliseconds(1234));
  EXPECT_EQ((*found)->consecutive_failures, 5);
  EXPECT_EQ((*found)->breaker_trips, 2);
  EXPECT_EQ((*found)->last_answer, "503 Service Unavailable");
  EXPECT_EQ(Summary().pending, 1);
  EXPECT_EQ(Summary().state.hold, HoldKind::kBreaker);

  state.hold_until.reset();
  state.hold = HoldKind::kNone;
  ASSERT_TRUE(store_->SaveEndpoint(state));
  EXPECT_FALSE((*store_->FindEndpoint("hook"))->hold_until);
}

TEST_P(StoreBooks, FindsTheLatestDecisionAndForgetsAWithdrawnOne) {
  EXPECT_FALSE(*store_->Find("r1", RequestState::kApproved));
  ASSERT_TRUE(store_->Remember(Approval("webhooks:carol"), kStart));
  ASSERT_TRUE(store_->Remember(Approval("webhooks:bob"), kStart + seconds(1)));
  EXPECT_EQ((*store_->Find("r1", RequestState::kApproved))->by, "webhooks:bob");
  EXPECT_FALSE(*store_->Find("r1", RequestState::kDenied));
  ASSERT_TRUE(store_->Withdraw("r1", RequestState::kApproved));
  const auto note = *store_->Find("r1", RequestState::kApproved);
  ASSERT_TRUE(note);
  EXPECT_EQ(*note, (access::DecisionNote{"webhooks:carol", "callback", "state", kStart}));
  ASSERT_TRUE(store_->Withdraw("r1", RequestState::kApproved));
  ASSERT_TRUE(store_->Withdraw("r1", RequestState::kApproved));
  EXPECT_FALSE(*store_->Find("r1", RequestState::kApproved));
}

TEST_P(StoreBooks, RemembersAnAnswerByCallerAndId) {
  const ReplayAnswer answer{std::string("\0d", 2), 409, "application/json", "{}"};
  ASSERT_TRUE(store_->SaveReplay("carol", "msg_1", answer, kStart));
  const auto found = store_->FindReplay("carol", "msg_1");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->body_digest, answer.body_digest);
  EXPECT_EQ((*found)->status, 409);
  EXPECT_EQ((*found)->body, "{}");
  EXPECT_FALSE(*store_->FindReplay("bob", "msg_1"));
  EXPECT_FALSE(*store_->FindReplay("carol", "msg_2"));
}

TEST_P(StoreBooks, SweepsFinishedDeliveriesPastRetention) {
  Commit(
      {MakeCommitment("r1", 1), MakeCommitment("r2", 2), MakeCommitment("r3", 3), MakeCommitment("r4", 4)});
  const auto claimed = Claim(later_);
  Finish(Delivered(claimed[0].id, kStart));
  Finish(Died(claimed[1].id, kStart));
  Finish(Delivered(claimed[2].id, old_ - minutes(30)));
  SweepAll(old_);
  EXPECT_THAT(EventIds(*store_->Deliveries({})), ElementsAre("evt_r3_3", "evt_r4_4"));
  EXPECT_EQ(Summary().delivered, 1);
  EXPECT_EQ(Summary().dead, 0);
  EXPECT_EQ(Summary().pending, 1);
}

TEST_P(StoreBooks, SweepsManyInSmallSteps) {
  std::vector<Commitment> batch;
  for (int i = 1; i <= 95; ++i) batch.push_back(MakeCommitment("r" + std::to_string(i), i));
  Commit(batch);
  for (const Delivery& delivery : Claim(later_)) Finish(Delivered(delivery.id));
  const auto more = store_->Sweep(old_, hours(1), 10);
  ASSERT_TRUE(more && *more);
  EXPECT_GE(Summary().delivered, 75);
  SweepAll(old_, 10);
  EXPECT_EQ(Summary().delivered, 0);
}

TEST_P(StoreBooks, NeverTakesTheEventOfALiveRequestAgainHoweverOld) {
  Commit({MakeCommitment("r1", 1, {})});
  SweepAll(old_);
  EXPECT_THAT(Commit({MakeCommitment("r1", 1)}), ElementsAre(false));
}

TEST_P(StoreBooks, ForgetsARequestLongAfterItWent) {
  Commit({MakeCommitment("r1", 1), MakeGone("r1", 2), MakeCommitment("r2", 1, {})});
  SweepAll(old_);
  EXPECT_TRUE(*store_->Find("r1")) << "a delivery of it still waits";
  Finish(Delivered(ClaimSingle(old_).id, kStart));
  SweepAll(kStart + minutes(30));
  EXPECT_TRUE(*store_->Find("r1"));
  SweepAll(old_);
  EXPECT_FALSE(*store_->Find("r1"));
  EXPECT_TRUE(*store_->Find("r2"));
}

TEST_P(StoreBooks, GivesUpWhatWaitedTooLongForAHeldEndpoint) {
  Commit({MakeCommitment("r1", 1), MakeCommitment("r1", 2), MakeCommitment("r2", 3),
          MakeCommitment("p", 1, {"pager"})});
  Finish(PutOff(ClaimSingle(later_).id, old_ + hours(1)));
  Commit({MakeCommitment("r3", 10'000)});  // young enough
  EndpointState held;
  held.endpoint = "hook";
  held.hold = HoldKind::kDisabled;
  ASSERT_TRUE(store_->SaveEndpoint(held));
  SweepAll(old_);
  DeliveryQuery dead;
  dead.status = DeliveryStatus::kDead;
  const auto given_up = *store_->Deliveries(dead);
  EXPECT_THAT(EventIds(given_up), ElementsAre("evt_r1_1", "evt_r1_2", "evt_r2_3"));
  EXPECT_EQ(given_up.back().finished, old_);
  EXPECT_EQ(given_up.back().last_error, "waited longer than 1h for its endpoint");
  EXPECT_EQ(given_up.back().attempts, 0);
  EXPECT_EQ(Summary("pager").pending, 1);
}

TEST_P(StoreBooks, GivesUpWhatWaitsForAnEndpointThatIsNotServed) {
  Commit({MakeCommitment("r1", 1), MakeCommitment("p", 1, {"pager"})});
  const std::vector<std::string> served = {"hook"};
  SweepAll(old_, 100, served);
  EXPECT_EQ(Summary("pager").dead, 1);
  EXPECT_EQ(Summary("hook").pending, 1);
}

TEST_P(StoreBooks, LeavesWhatIsUnderWayAlone) {
  Commit({MakeCommitment("p", 1, {"pager"})});
  const Delivery mine = Claim(old_, 1, "pager").front();
  const std::vector<std::string> served = {"hook"};
  SweepAll(old_, 100, served);
  EXPECT_EQ(Summary("pager").dead, 0);
  Finish(Delivered(mine.id, old_));
  EXPECT_EQ(Summary("pager").delivered, 1);
}

TEST_P(StoreBooks, SweepsDecisionsAndReplays) {
  ASSERT_TRUE(store_->Remember(Approval("webhooks:carol"), kStart));
  ASSERT_TRUE(store_->SaveReplay("carol", "old", {"", 200, "", ""}, old_ - seconds(1)));
  ASSERT_TRUE(store_->SaveReplay("carol", "new", {"", 200, "", ""}, old_ + seconds(1)));
  SweepAll(old_);
  EXPECT_FALSE(*store_->Find("r1", RequestState::kApproved));
  EXPECT_FALSE(*store_->FindReplay("carol", "old"));
  EXPECT_TRUE(*store_->FindReplay("carol", "new"));
}

TEST_P(StoreBooks, HasNothingToSweepWhenNew) {
  const auto more = store_->Sweep(old_, hours(1), 10);
  ASSERT_TRUE(more);
  EXPECT_FALSE(*more);
  EXPECT_THAT(*store_->Summaries(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Both, StoreBooks, kBothStores, NameOfStore);

}  // namespace
}  // namespace tw::store
