// Contract of the Store: what Commit keeps.
#include "contract/store_contract.h"

namespace tw::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StoreIntake : public StoreContract {};

TEST_P(StoreIntake, KeepsTheRecordOfARequestInFull) {
  Commitment commitment = MakeCommitment("r1", 1);
  access::KnownRequest& known = commitment.change.known;
  known.content.reason = "bytes \xff that are not text, and a line\n";
  known.content.created = kStart + std::chrono::microseconds(123'456);
  known.content.resources = {{"c", "node", "n", "s"}};
  known.content.reviews = {
      {"bob", access::RequestState::kApproved, "ok", {"dba"}, kStart, {}, {{"k", {"v"}}}}};
  known.content.thresholds = {{"default", 2, 1, "f"}};
  known.content.system_annotations = {{"service", {"a", "b"}}};
  known.content.access_list = access::AccessList{"n", "t"};
  known.content.state = static_cast<access::RequestState>(-7);
  known.content.metadata_id = -5;
  known.content.revision = "rev";
  known.reported_state = access::RequestState::kPending;
  known.legacy_states = {{"hook", "Pending"}};
  Commit({commitment});

  const auto found = store_->Find("r1");
  ASSERT_TRUE(found && *found);
  const access::KnownRequest& kept = **found;
  EXPECT_TRUE(access::SameContent(kept.content, known.content));
  EXPECT_EQ(kept.content.created, known.content.created);
  EXPECT_EQ(kept.content.revision, "rev");
  EXPECT_EQ(kept.content.metadata_id, -5);
  EXPECT_EQ(kept.seq, 1);
  EXPECT_EQ(kept.reported_state, access::RequestState::kPending);
  EXPECT_EQ(kept.legacy_states, known.legacy_states);
  EXPECT_TRUE(kept.content_known);
  EXPECT_FALSE(kept.gone);
}

TEST_P(StoreIntake, DoesNotKnowARequestThatWasNeverCommitted) {
  const auto found = store_->Find("r1");
  ASSERT_TRUE(found);
  EXPECT_FALSE(*found);
}

TEST_P(StoreIntake, TakesAnEventIdOnlyOnceButUpdatesTheRecord) {
  EXPECT_THAT(Commit({MakeCommitment("r1", 1)}), ElementsAre(true));
  Commitment again = MakeCommitment("r1", 1);
  again.change.known.content.reason = "later";
  EXPECT_THAT(Commit({MakeCommitment("r1", 2), again}), ElementsAre(true, false));

  EXPECT_EQ((*store_->Find("r1"))->content.reason, "later");
  EXPECT_EQ(Summary().pending, 2);
}

TEST_P(StoreIntake, RecordsSilentlyWithoutAnEvent) {
  Commitment silent = MakeCommitment("r1", 1);
  silent.change.event.reset();
  EXPECT_THAT(Commit({silent}), ElementsAre(false));
  EXPECT_TRUE(*store_->Find("r1"));
  EXPECT_THAT(Claim(kStart + hours(1)), IsEmpty());
}

TEST_P(StoreIntake, ListsTheRequestsThatAreNotGone) {
  Commit({MakeCommitment("r1", 1), MakeCommitment("r2", 1), MakeCommitment("r3", 1)});
  Commit({MakeGone("r2", 2)});
  EXPECT_THAT(*store_->LiveIds(), testing::UnorderedElementsAre("r1", "r3"));
  Commit({MakeCommitment("r2", 3)});
  EXPECT_THAT(*store_->LiveIds(), testing::UnorderedElementsAre("r1", "r2", "r3"));
}

TEST_P(StoreIntake, MakesOneDeliveryForEachEndpoint) {
  Commit({MakeCommitment("r1", 1, {"hook", "pager"}), MakeCommitment("r2", 1, {"pager"}),
          MakeCommitment("r3", 1, {})});
  EXPECT_THAT(EventIds(Claim(kStart + hours(1), 10, "hook")), ElementsAre("evt_r1_1"));
  EXPECT_THAT(EventIds(Claim(kStart + hours(1), 10, "pager")), ElementsAre("evt_r1_1", "evt_r2_1"));
}

TEST_P(StoreIntake, HandsTheEventOutAsItWasTold) {
  const Commitment commitment = MakeCommitment("r1", 1);
  Commit({commitment});
  const Delivery delivery = ClaimSingle(kStart + hours(1));
  EXPECT_EQ(delivery.event_json, access::EventToJson(*commitment.change.event));
  EXPECT_EQ(delivery.request_id, "r1");
  EXPECT_EQ(delivery.endpoint, "hook");
  EXPECT_EQ(delivery.created, kStart + seconds(1));
  EXPECT_EQ(delivery.status, DeliveryStatus::kPending);
  EXPECT_EQ(delivery.attempts, 0);
  EXPECT_FALSE(delivery.first_attempt);
}

TEST_P(StoreIntake, LeasesNewDeliveriesWhileThereIsRoom) {
  ClaimOnCommit claim{"me", kStart + minutes(5), {{"hook", 2}}};
  const std::vector<Commitment> batch = {MakeCommitment("r1", 1), MakeCommitment("r1", 2),
                                         MakeCommitment("r2", 1, {"pager", "hook"}), MakeCommitment("r3", 1)};
  const auto committed = store_->CommitAndClaim(batch, claim);
  ASSERT_TRUE(committed);
  EXPECT_THAT(committed->fresh, ElementsAre(true, true, true, true));
  // The second event of r1 waits for the first, the pager was given no room, and r3 found none left.
  EXPECT_THAT(EventIds(committed->claimed), ElementsAre("evt_r1_1", "evt_r2_1"));
  EXPECT_EQ(committed->claimed.front().event_json, access::EventToJson(*batch.front().change.event));

  EXPECT_THAT(EventIds(Claim(kStart + minutes(1))), ElementsAre("evt_r3_1"));
  Finish(Delivered(committed->claimed.front().id));
  EXPECT_THAT(EventIds(Claim(kStart + minutes(1))), ElementsAre("evt_r1_2"));
}

TEST_P(StoreIntake, DoesNotLeaseBehindAnEventThatStillWaits) {
  Commit({MakeCommitment("r1", 1)});
  const auto committed = store_->CommitAndClaim(std::vector{MakeCommitment("r1", 2)},
                                                {"me", kStart + minutes(5), {{"hook", 9}}});
  ASSERT_TRUE(committed);
  EXPECT_THAT(committed->claimed, IsEmpty());
}

TEST_P(StoreIntake, RemembersThatTheFirstComparisonIsOver) {
  EXPECT_FALSE(*store_->FirstSyncDone());
  EXPECT_TRUE(store_->FinishFirstSync());
  EXPECT_TRUE(*store_->FirstSyncDone());
}

INSTANTIATE_TEST_SUITE_P(Both, StoreIntake, kBothStores, NameOfStore);

}  // namespace
}  // namespace tw::store
