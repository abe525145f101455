#include "access/decider.h"

#include <gtest/gtest.h>

#include <thread>

#include "fakes/fake_clock.h"
#include "fakes/fake_logger.h"
#include "fakes/fake_teleport.h"

namespace tw::access {
namespace {

class NoteBook final : public DecisionBook {
 public:
  Status Remember(const Decision& decision, SystemTime at) override {
    notes[decision.request_id] = {decision.delegator, decision.via,
                                  std::string(DecisionModeName(decision.mode)), at};
    return {};
  }
  Status Withdraw(const std::string& id, RequestState) override {
    notes.erase(id);
    return {};
  }
  Result<std::optional<DecisionNote>> Find(const std::string& id, RequestState) override {
    const auto found = notes.find(id);
    return found == notes.end() ? std::nullopt : std::optional(found->second);
  }
  std::map<std::string, DecisionNote> notes;
};

class DeciderTest : public testing::Test {
 protected:
  Result<DecisionOutcome> Decide(RequestState state, DecisionMode mode = DecisionMode::kState,
                                 const std::string& id = "a") {
    Decision decision;
    decision.request_id = id;
    decision.state = state;
    decision.mode = mode;
    decision.delegator = "webhooks:carol";
    decision.reason = "ok";
    return decider_.Decide(decision, {});
  }

  fakes::FakeClock clock_;
  fakes::FakeLogger log_;
  fakes::FakeTeleport teleport_{clock_};
  NoteBook notes_;
  Decider decider_{teleport_, &notes_, clock_, log_};
};

constexpr auto kApproved = RequestState::kApproved;
constexpr auto kDenied = RequestState::kDenied;

TEST_F(DeciderTest, ApprovesAPendingRequestAndRemembersWho) {
  teleport_.Create("a");
  const auto outcome = Decide(kApproved);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_TRUE(outcome->changed);
  EXPECT_EQ(teleport_.state_changes().at(0).delegator, "webhooks:carol");
  EXPECT_EQ(teleport_.state_changes().at(0).reason, "ok");
  EXPECT_EQ(notes_.notes.at("a").by, "webhooks:carol");
}

TEST_F(DeciderTest, AnswersASecondEqualDecisionWithoutAskingTeleportToChange) {
  teleport_.Create("a");
  ASSERT_TRUE(Decide(kDenied).has_value());
  const auto again = Decide(kDenied);
  ASSERT_TRUE(again.has_value());
  EXPECT_FALSE(again->changed);
  EXPECT_EQ(teleport_.state_changes().size(), 1U);
}

TEST_F(DeciderTest, RefusesTheOppositeOfWhatWasDecided) {
  teleport_.Create("a");
  ASSERT_TRUE(Decide(kApproved).has_value());
  const auto opposite = Decide(kDenied);
  ASSERT_FALSE(opposite.has_value());
  EXPECT_EQ(opposite.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(teleport_.Find("a")->state, kApproved);
}

TEST_F(DeciderTest, RefusesPromotedAndUnknownStates) {
  teleport_.Create("a");
  for (const int state : {4, 9}) {
    teleport_.SetStateDirectly("a", static_cast<RequestState>(state));
    EXPECT_EQ(Decide(kApproved).error().kind, ErrorKind::kConflict) << state;
  }
  EXPECT_TRUE(teleport_.state_changes().empty());
}

TEST_F(DeciderTest, NeverActsWithoutAnIdOrOnAnUnknownRequest) {
  teleport_.Create("a");
  EXPECT_EQ(Decide(kApproved, DecisionMode::kState, "").error().kind, ErrorKind::kUsage);
  EXPECT_EQ(Decide(kApproved, DecisionMode::kState, "b").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(Decide(RequestState::kPending).error().kind, ErrorKind::kUsage);
  EXPECT_EQ(teleport_.calls("SetState"), 0);
}

TEST_F(DeciderTest, LooksUpAnUnclearAnswerBeforeReportingIt) {
  teleport_.Create("a");
  teleport_.LoseAnswerOfNextSetState();
  const auto outcome = Decide(kApproved);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_TRUE(outcome->changed);
  EXPECT_TRUE(notes_.notes.contains("a"));
}

TEST_F(DeciderTest, SaysThatNothingHappenedWhenTheCallNeverArrived) {
  teleport_.Create("a");
  teleport_.FailNext("SetState", {ErrorKind::kUnreachable, "connection lost", {}, true});
  const auto outcome = Decide(kApproved);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_TRUE(outcome.error().retryable);
  EXPECT_FALSE(notes_.notes.contains("a"));
}

TEST_F(DeciderTest, TakesNoLongerThanItsTimeHoweverSlowEachCallIs) {
  teleport_.Create("a");
  teleport_.Slow("Get", std::chrono::seconds(3));
  teleport_.Slow("SetState", std::chrono::minutes(1));
  const SteadyTime began = clock_.Steady();
  EXPECT_EQ(Decide(kApproved).error().kind, ErrorKind::kTimeout);
  EXPECT_LE(clock_.Steady() - began, CallLimits().timeout);
}

TEST_F(DeciderTest, HasTimeLeftToLookUpWhatCameOfACallThatTookTooLong) {
  teleport_.Create("a");
  teleport_.Slow("SetState", std::chrono::minutes(1));
  const auto outcome = Decide(kApproved);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(teleport_.calls("Get"), 2);
  EXPECT_LT(clock_.Steady() - SteadyTime(std::chrono::hours(1)), CallLimits().timeout);
  EXPECT_FALSE(notes_.notes.contains("a")) << "it was seen that nothing had happened";
}

TEST_F(DeciderTest, ReportsAnOutsiderWhoWasFaster) {
  teleport_.Create("a");
  teleport_.FailNext("SetState", {ErrorKind::kConflict, "already denied", {}, false});
  // The conflict tells that the look-up before it was out of date.
  std::jthread outsider([&] { teleport_.SetStateDirectly("a", kDenied); });
  outsider.join();
  const auto outcome = Decide(kApproved);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind, ErrorKind::kConflict);
}

TEST_F(DeciderTest, TakesNoCreditForAnOutsiderWhoDidTheSameAtTheSameMoment) {
  teleport_.Create("a");
  teleport_.OvertakeNextSetState();
  const auto outcome = Decide(kApproved);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_FALSE(outcome->changed);
  EXPECT_FALSE(notes_.notes.contains("a"));
}

TEST_F(DeciderTest, PassesARefusalOnAndForgetsTheNote) {
  teleport_.Create("a");
  teleport_.FailNext("SetState", {ErrorKind::kCredentials, "role lacks update on access_request", {}, false});
  EXPECT_EQ(Decide(kApproved).error().kind, ErrorKind::kCredentials);
  EXPECT_FALSE(notes_.notes.contains("a"));
}

TEST_F(DeciderTest, LetsOnlyOneOfManyDecidersOfARequestAct) {
  teleport_.Create("a");
  std::atomic<int> changed{0};
  std::atomic<int> conflicts{0};
  {
    std::vector<std::jthread> deciders;
    for (int i = 0; i < 8; ++i) {
      deciders.emplace_back([&, i] {
        const auto outcome = Decide(i % 2 == 0 ? kApproved : kDenied);
        if (outcome && outcome->changed) ++changed;
        if (!outcome && outcome.error().kind == ErrorKind::kConflict) ++conflicts;
      });
    }
  }
  EXPECT_EQ(changed, 1);
  EXPECT_EQ(conflicts, 4);
}

TEST_F(DeciderTest, SubmitsAReviewWithTheDelegatorInFrontOfTheReason) {
  teleport_.Create("a");
  const auto outcome = Decide(kApproved, DecisionMode::kReview);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->state, RequestState::kPending);
  EXPECT_TRUE(outcome->changed);
  EXPECT_EQ(teleport_.calls("SetState"), 0);
}

TEST_F(DeciderTest, ToldTheSameReviewTwiceChangesNothing) {
  teleport_.Create("a");
  ASSERT_TRUE(Decide(kApproved, DecisionMode::kReview).has_value());
  const auto again = Decide(kApproved, DecisionMode::kReview);
  ASSERT_TRUE(again.has_value());
  EXPECT_FALSE(again->changed);
  EXPECT_EQ(Decide(kDenied, DecisionMode::kReview).error().kind, ErrorKind::kConflict);
  EXPECT_EQ(teleport_.calls("SubmitReview"), 1);
}

TEST_F(DeciderTest, DoesNotTakeItsReviewForSuccessOnceTheRequestWasDecidedTheOtherWay) {
  teleport_.Create("a");
  ASSERT_TRUE(Decide(kApproved, DecisionMode::kReview).has_value());
  std::jthread([&] { teleport_.SetStateDirectly("a", kDenied); }).join();
  EXPECT_EQ(Decide(kApproved, DecisionMode::kReview).error().kind, ErrorKind::kConflict);
  EXPECT_EQ(teleport_.calls("SubmitReview"), 1);
}

TEST_F(DeciderTest, ReadsARefusedReviewOfAResolvedRequestAsTooLate) {
  teleport_.Create("a");
  teleport_.FailNext("SubmitReview",
                     {ErrorKind::kCredentials, "the access request has been already denied", {}, false});
  std::jthread([&] { teleport_.SetStateDirectly("a", kDenied); }).join();
  EXPECT_EQ(Decide(kApproved, DecisionMode::kReview).error().kind, ErrorKind::kConflict);
}

TEST_F(DeciderTest, TakesNoRolesInAReview) {
  teleport_.Create("a");
  Decision decision;
  decision.request_id = "a";
  decision.state = kApproved;
  decision.mode = DecisionMode::kReview;
  decision.roles = {"dba"};
  EXPECT_EQ(decider_.Decide(decision, {}).error().kind, ErrorKind::kUsage);
}

}  // namespace
}  // namespace tw::access
