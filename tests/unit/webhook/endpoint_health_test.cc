#include "webhook/endpoint_health.h"

#include <gtest/gtest.h>

#include "base/url.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_random.h"

namespace tw::webhook {
namespace {

using namespace std::chrono_literals;
using Change = EndpointHealth::Change;
using store::HoldKind;

config::EndpointSettings Settings(const std::string& url = "https://hooks.example.com/a") {
  config::EndpointSettings settings;
  settings.name = "portal";
  settings.url = ParseUrl(url).value();
  settings.concurrency = 4;
  settings.breaker.failures = 3;
  settings.breaker.max = 60s;
  return settings;
}

const Judgement kSuccess{Verdict::kDelivered, std::nullopt, "200"};
const Judgement kFailure{Verdict::kRetry, std::nullopt, "500 Internal Server Error"};
const Judgement kRefusal{Verdict::kDead, std::nullopt, "400 Bad Request"};
const Judgement kGone{Verdict::kDisable, std::nullopt, "410 Gone"};

class Health : public testing::Test {
 protected:
  SystemTime Now() const { return clock_.Now(); }
  Change Apply(const Judgement& judgement) { return health_.Apply(judgement, Now(), Now(), random_); }
  Judgement Busy(std::chrono::milliseconds wait) const {
    return {Verdict::kRetry, Now() + wait, "429 Too Many Requests"};
  }
  int Allowed() const { return health_.Allowed(Now()); }
  // Trips the breaker and returns how long it holds.
  Duration Trip() {
    while (!health_.held()) Apply(kFailure);
    return *health_.HeldUntil() - Now();
  }

  fakes::FakeClock clock_;
  fakes::FakeRandom random_;
  EndpointHealth health_{Settings(), std::nullopt, clock_.Now()};
};

TEST_F(Health, AllowsItsConcurrencyWhileAllIsWell) {
  EXPECT_EQ(Allowed(), 4);
  EXPECT_EQ(Apply(kSuccess), Change::kNone);
  EXPECT_EQ(Allowed(), 4);
  EXPECT_EQ(health_.state().last_answer, "200");
}

TEST_F(Health, OpensTheBreakerAfterRepeatedFailureAndNotBefore) {
  EXPECT_EQ(Apply(kFailure), Change::kNone);
  EXPECT_EQ(Apply(kFailure), Change::kNone);
  EXPECT_EQ(Allowed(), 4);
  EXPECT_EQ(Apply(kFailure), Change::kHeld);
  EXPECT_EQ(health_.state().hold, HoldKind::kBreaker);
  EXPECT_EQ(Allowed(), 0);
}

TEST_F(Health, ASuccessInBetweenStartsTheCountAnew) {
  Apply(kFailure);
  Apply(kFailure);
  // Not a recovery: nothing that waits for its own next try becomes due.
  EXPECT_EQ(Apply(kSuccess), Change::kNone);
  Apply(kFailure);
  Apply(kFailure);
  EXPECT_FALSE(health_.held());
}

TEST_F(Health, RefusedEventsDoNotCountAgainstTheEndpoint) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Apply(kRefusal), Change::kNone);
  EXPECT_FALSE(health_.held());
}

TEST_F(Health, LetsOneProbeThroughWhenTheBreakersTimeIsUp) {
  clock_.Advance(Trip());
  EXPECT_EQ(Allowed(), 1);
  EXPECT_EQ(Apply(kSuccess), Change::kRecovered);
  EXPECT_EQ(Allowed(), 4);
  EXPECT_EQ(health_.state().consecutive_failures, 0);
}

TEST_F(Health, AFailedProbeHoldsAgainWithAGrowingLimit) {
  Duration longest{};
  for (int trip = 0; trip < 40; ++trip) {
    const Duration held = Trip();
    EXPECT_LE(held, Duration(60s) + 1ms);
    longest = std::max(longest, held);
    clock_.Advance(held);
    EXPECT_EQ(Allowed(), 1);
    EXPECT_EQ(Apply(kFailure), Change::kHeld);
  }
  EXPECT_GT(longest, Duration(10s));
}

TEST_F(Health, FailuresThatWereUnderWayWhenTheBreakerOpenedSayNothingNew) {
  Trip();
  const auto until = health_.HeldUntil();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Apply(kFailure), Change::kNone);
  EXPECT_EQ(health_.HeldUntil(), until);
  EXPECT_EQ(health_.state().breaker_trips, 1);
}

TEST_F(Health, TheyDoNotEitherWhenTheyEndAfterTheHold) {
  const SystemTime began = Now();
  const Duration held = Trip();
  for (int i = 0; i < 10; ++i) {
    clock_.Advance(held + 1s);
    EXPECT_EQ(health_.Apply(kFailure, began, Now(), random_), Change::kNone);
  }
  EXPECT_EQ(health_.state().breaker_trips, 1);
  EXPECT_EQ(Allowed(), 1);
  EXPECT_EQ(Apply(kFailure), Change::kHeld);  // the probe
  EXPECT_EQ(health_.state().breaker_trips, 2);
}

TEST_F(Health, ASuccessThatWasUnderWayClosesTheBreaker) {
  Trip();
  EXPECT_EQ(Apply(kSuccess), Change::kRecovered);
  EXPECT_EQ(Allowed(), 4);
}

TEST_F(Health, ObeysRetryAfterInFull) {
  EXPECT_EQ(Apply(Busy(1h)), Change::kHeld);
  EXPECT_EQ(health_.state().hold, HoldKind::kRetryAfter);
  EXPECT_EQ(Apply(kSuccess), Change::kNone);  // was under way
  clock_.Advance(1h - 1ms);
  EXPECT_EQ(Allowed(), 0);
  clock_.Advance(1ms);
  EXPECT_EQ(Allowed(), 1);
  EXPECT_EQ(Apply(kSuccess), Change::kRecovered);
}

TEST_F(Health, TheLongerOfTwoPausesCounts) {
  Apply(Busy(10min));
  EXPECT_EQ(Apply(Busy(1min)), Change::kNone);
  EXPECT_EQ(*health_.HeldUntil(), Now() + 10min);
  EXPECT_EQ(Apply(Busy(1h)), Change::kHeld);
  EXPECT_EQ(*health_.HeldUntil(), Now() + 1h);
}

TEST_F(Health, AClockThatIsSetBackHoldsNoLongerThanTheRuleSays) {
  Trip();
  const SystemTime early = Now() - 12h;
  health_.BoundHold(early);
  EXPECT_EQ(health_.HeldUntil(), early + 60s);
  EXPECT_EQ(health_.Allowed(early + 60s), 1);
  Apply(Busy(20h));
  const SystemTime until = *health_.HeldUntil();
  health_.BoundHold(Now());
  EXPECT_EQ(health_.HeldUntil(), until);
  health_.BoundHold(Now() - 12h);
  EXPECT_EQ(health_.HeldUntil(), Now() + 12h);
}

TEST_F(Health, A410HoldsUntilLiftedByHand) {
  EXPECT_EQ(Apply(kGone), Change::kDisabled);
  clock_.Advance(1000h);
  EXPECT_EQ(Allowed(), 0);
  EXPECT_FALSE(health_.HeldUntil());
  EXPECT_EQ(Apply(kSuccess), Change::kNone);  // was under way
  EXPECT_EQ(Apply(Busy(1s)), Change::kNone);
  EXPECT_EQ(health_.state().hold, HoldKind::kDisabled);
  health_.Lift(Now());
  EXPECT_EQ(Allowed(), 4);
}

TEST_F(Health, SurvivesARestart) {
  Apply(kGone);
  const EndpointHealth again(Settings(), health_.state(), Now());
  EXPECT_EQ(again.Allowed(Now()), 0);
  EXPECT_EQ(again.state().hold, HoldKind::kDisabled);
}

TEST_F(Health, AChangedUrlLiftsTheHold) {
  Apply(kGone);
  const EndpointHealth moved(Settings("https://hooks.example.com/b"), health_.state(), Now());
  EXPECT_EQ(moved.Allowed(Now()), 4);
  EXPECT_NE(moved.state().url_digest, health_.state().url_digest);
}

TEST_F(Health, TellsWhetherItsUrlChanged) {
  EXPECT_FALSE(health_.url_changed());
  EXPECT_FALSE(EndpointHealth(Settings(), health_.state(), Now()).url_changed());
  EXPECT_TRUE(EndpointHealth(Settings("https://hooks.example.com/b"), health_.state(), Now()).url_changed());
}

TEST_F(Health, AHoldLiftedInTheStoreStillCountsAsTimeHeld) {
  Apply(kGone);
  clock_.Advance(72h);
  store::EndpointState state = health_.state();
  LiftHold(state, Now());
  const EndpointHealth again(Settings(), state, Now());
  EXPECT_FALSE(again.held());
  EXPECT_EQ(again.HeldTotal(Now()), 72h);
}

TEST_F(Health, KeepsNoUrlInItsState) {
  EXPECT_EQ(health_.state().url_digest.find("example"), std::string::npos);
  EXPECT_EQ(health_.state().url_digest.size(), 64U);
}

TEST_F(Health, CountsTheTimeHeldOverSeveralHoldsAndRestarts) {
  EXPECT_EQ(health_.HeldTotal(Now()), 0ms);
  Apply(Busy(10min));
  clock_.Advance(4min);
  EXPECT_EQ(health_.HeldTotal(Now()), 4min);
  const EndpointHealth again(Settings(), health_.state(), Now());
  EXPECT_EQ(again.HeldTotal(Now() + 1min), 5min);
  clock_.Advance(6min);
  Apply(kSuccess);
  EXPECT_EQ(health_.HeldTotal(Now()), 10min);
  clock_.Advance(1h);
  EXPECT_EQ(health_.HeldTotal(Now()), 10min);
  Apply(Busy(1min));
  clock_.Advance(1min);
  EXPECT_EQ(health_.HeldTotal(Now()), 11min);
}

}  // namespace
}  // namespace tw::webhook
