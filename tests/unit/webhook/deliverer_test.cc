#include "webhook/deliverer.h"

#include "deliverer_harness.h"

namespace tw::webhook {
namespace {

using namespace std::chrono_literals;
using fakes::Status;
using store::DeliveryStatus;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

TEST_F(DelivererTest, SendsWhatWasCommittedAndMarksItDelivered) {
  Start({EndpointAt("portal")}, [](const HttpCall&) { return Status(204); });
  Add("r1");
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 1));
  const HttpCall call = transport_->sent().at(0);
  EXPECT_EQ(IdOf(call), "evt_r1_1");
  EXPECT_EQ(call.body, Deliveries()[0].event_json);
  EXPECT_EQ(Deliveries()[0].attempts, 1);
  EXPECT_EQ(Deliveries()[0].last_status, 204);
  EXPECT_THAT(observer_.attempts(), ElementsAre("portal delivered"));
}

TEST_F(DelivererTest, SendsWhatWaitedInTheStoreWhenItStarts) {
  Commit({Change("r1", 1), Change("r2", 1)});
  Start({EndpointAt("portal")}, [](const HttpCall&) { return Status(200); });
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 2));
}

TEST_F(DelivererTest, TakesOverWhatACrashedRunHadLeased) {
  Commit({Change("r1", 1)});
  ASSERT_EQ(store_->Claim("portal", clock_.Now(), 10, "serve", clock_.Now() + 1h)->size(), 1U);
  Start({EndpointAt("portal")}, [](const HttpCall&) { return Status(200); });
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 1));
}

TEST_F(DelivererTest, KeepsTheOrderOfARequestAndRunsRequestsSideBySide) {
  Start({EndpointAt("portal")});
  Commit({Change("r1", 1), Change("r1", 2), Change("r2", 1), Change("r1", 3)});
  deliverer_->Notify();
  ASSERT_TRUE(transport_->WaitForSent(2));
  Settle();
  EXPECT_THAT(SentIds(), UnorderedElementsAre("evt_r1_1", "evt_r2_1"));
  Answer("evt_r1_1", Status(200));
  ASSERT_TRUE(transport_->WaitForSent(3));
  Settle();
  EXPECT_EQ(SentIds().back(), "evt_r1_2");
  Answer("evt_r1_2", Status(200));
  Answer("evt_r1_3", Status(200));
  Answer("evt_r2_1", Status(200));
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 4));
}

TEST_F(DelivererTest, ARetriedEventHoldsItsRequestBackAndNoOther) {
  Start({EndpointAt("portal")});
  Commit({Change("r1", 1), Change("r1", 2), Change("r2", 1)});
  deliverer_->Notify();
  Answer("evt_r1_1", Status(500));
  Answer("evt_r2_1", Status(200));
  ASSERT_TRUE(WaitForAttempts(2));
  Settle();
  EXPECT_THAT(SentIds(), Not(Contains("evt_r1_2")));
  clock_.Advance(2s);
  Answer("evt_r1_1", Status(200));
  Answer("evt_r1_2", Status(200));
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 3));
}

TEST_F(DelivererTest, NeverExceedsTheConcurrencyOfAnEndpoint) {
  config::EndpointSettings settings = EndpointAt("portal");
  settings.concurrency = 3;
  Start({settings});
  std::vector<store::Commitment> batch;
  for (int i = 0; i < 50; ++i) batch.push_back(Change("r" + std::to_string(i), 1));
  Commit(batch);
  deliverer_->Notify();
  for (int i = 0; i < 50; ++i) Answer("evt_r" + std::to_string(i) + "_1", Status(200));
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 50));
  EXPECT_EQ(transport_->most_open(), 3U);
}

TEST_F(DelivererTest, RetriesUnderTheSameIdWithAFreshTimestampAndSignature) {
  config::EndpointSettings settings = EndpointAt("portal");
  settings.secrets = {Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")};
  Start({settings});
  Add("r1");
  Answer("evt_r1_1", Status(503));
  ASSERT_TRUE(WaitForAttempts(1));
  clock_.Advance(60s);
  Answer("evt_r1_1", Status(200));
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 1));
  const auto sent = transport_->sent();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(IdOf(sent[0]), IdOf(sent[1]));
  EXPECT_EQ(sent[0].body, sent[1].body);
  EXPECT_EQ(
      std::stoll(HeaderOf(sent[1], "webhook-timestamp")) - std::stoll(HeaderOf(sent[0], "webhook-timestamp")),
      60);
  EXPECT_NE(HeaderOf(sent[0], "webhook-signature"), HeaderOf(sent[1], "webhook-signature"));
  EXPECT_EQ(Deliveries()[0].attempts, 2);
}

TEST_F(DelivererTest, WaitsForTheNextTryAsLongAsTheBackOffSays) {
  Start({EndpointAt("portal")});
  Add("r1");
  Answer("evt_r1_1", Status(500));
  ASSERT_TRUE(WaitForAttempts(1));
  const SystemTime due = Deliveries()[0].due;
  EXPECT_GT(due, clock_.Now());
  EXPECT_LE(due, clock_.Now() + 1s);
  Settle();
  EXPECT_EQ(transport_->sent().size(), 1U);
  clock_.Advance(due - clock_.Now());
  ASSERT_TRUE(transport_->WaitForSent(2));
}

TEST_F(DelivererTest, ARefusedEventBecomesADeadLetterAndHoldsNothingUp) {
  Start({EndpointAt("portal")});
  Commit({Change("r1", 1), Change("r1", 2)});
  deliverer_->Notify();
  Answer("evt_r1_1", Status(400));
  Answer("evt_r1_2", Status(200));
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 1));
  const auto dead = Deliveries(DeliveryStatus::kDead);
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_EQ(dead[0].last_error, "400 Bad Request");
  EXPECT_TRUE(log_.Said("dead letter endpoint=portal delivery=1 event=evt_r1_1 request_id=r1 reason=400"));
}

TEST_F(DelivererTest, GivesUpWhenTheTimeForRetriesIsUsedUp) {
  config::EndpointSettings settings = EndpointAt("portal");
  settings.retry.max_elapsed = 1min;
  settings.breaker.failures = 1000;
  Start({settings}, [](const HttpCall&) { return Status(500); });
  Add("r1");
  ASSERT_TRUE(WaitForAttempts(1));
  clock_.Advance(1min);
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDead, 1));
  EXPECT_THAT(Deliveries()[0].last_error, HasSubstr("retries used up after 1m; last: 500"));
}

TEST_F(DelivererTest, AClockThatIsSetBackKeepsNoTryWaiting) {
  Start({EndpointAt("portal")});
  Add("r1");
  Answer("evt_r1_1", Status(500));
  ASSERT_TRUE(WaitForAttempts(1));
  Settle();
  clock_.SetBack(6h);
  Answer("evt_r1_1", Status(200));
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 1));
  EXPECT_TRUE(log_.Said("the clock was set back: what waits is due now by="));
}

TEST_F(DelivererTest, TheTimeHeldDoesNotCountAgainstTheRetries) {
  config::EndpointSettings settings = EndpointAt("portal");
  settings.retry.max_elapsed = 1min;
  Start({settings});
  Add("r1");
  Answer("evt_r1_1", Status(429, "3600"));
  ASSERT_TRUE(WaitForHold(store::HoldKind::kRetryAfter));
  clock_.Advance(1h);
  Answer("evt_r1_1", Status(500));
  ASSERT_TRUE(WaitForAttempts(2));
  EXPECT_EQ(Deliveries()[0].status, DeliveryStatus::kPending);
}

TEST_F(DelivererTest, RetryAfterHoldsTheWholeEndpointThenOneProbeThenEverything) {
  Start({EndpointAt("portal")});
  Add("r1");
  Answer("evt_r1_1", Status(503, "600"));
  ASSERT_TRUE(WaitForHold(store::HoldKind::kRetryAfter));
  for (int i = 2; i <= 6; ++i) Add("r" + std::to_string(i));
  clock_.Advance(599s);
  Settle();
  EXPECT_EQ(transport_->sent().size(), 1U);
  clock_.Advance(1s);
  ASSERT_TRUE(transport_->WaitForSent(2));
  Settle();
  EXPECT_EQ(transport_->open().size(), 1U);
  const std::string probe = SentIds().back();
  Answer(probe, Status(200));
  ASSERT_TRUE(transport_->WaitForSent(7));
  for (const HttpCall& call : transport_->open()) transport_->Answer(call.id, Status(200));
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 6));
  EXPECT_TRUE(log_.Said("endpoint works again"));
}

TEST_F(DelivererTest, AnOutageOpensTheBreakerAndLosesNothing) {
  config::EndpointSettings settings = EndpointAt("portal");
  settings.breaker.failures = 5;
  std::atomic<bool> down{true};
  Start({settings}, [&](const HttpCall&) {
    HttpAnswer answer = Status(down ? 0 : 200);
    if (down) answer.failure = TransportFailure::kConnect, answer.error = "refused";
    return answer;
  });
  std::vector<store::Commitment> batch;
  for (int i = 0; i < 100; ++i) {
    batch.push_back(Change("r" + std::to_string(i), 1));
    batch.push_back(Change("r" + std::to_string(i), 2));
  }
  Commit(batch);
  deliverer_->Notify();
  ASSERT_TRUE(WaitForHold(store::HoldKind::kBreaker));
  Settle();
  const std::size_t tried = transport_->sent().size();
  EXPECT_LE(tried, 5U + static_cast<std::size_t>(settings.concurrency));
  down = false;
  clock_.Advance(10min);
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 200));
  std::map<std::string, int> last;
  for (const HttpCall& call : transport_->sent()) {
    const std::string id = IdOf(call);
    const auto at = id.rfind('_');
    int& seen = last[id.substr(0, at)];
    const int n = std::stoi(id.substr(at + 1));
    EXPECT_GE(n, seen) << id;
    seen = n;
  }
  EXPECT_THAT(observer_.states(), ElementsAre("portal open", "portal held (breaker)", "portal open"));
}

TEST_F(DelivererTest, AnotherEventsSuccessDoesNotHurryAFailingOne) {
  config::EndpointSettings settings = EndpointAt("portal");
  settings.retry.initial = 1h;
  settings.retry.max = 1h;
  Start({settings});
  Add("bad");
  Answer("evt_bad_1", Status(404));
  ASSERT_TRUE(WaitForAttempts(1));
  for (int i = 0; i < 5; ++i) {
    Add("good" + std::to_string(i));
    Answer("evt_good" + std::to_string(i) + "_1", Status(200));
  }
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 5));
  Settle();
  EXPECT_EQ(transport_->sent().size(), 6U);
}

TEST_F(DelivererTest, TheStoreShowsTheLastAnswerAlsoWhereAllIsWell) {
  Start({EndpointAt("portal")});
  Add("r1");
  ASSERT_TRUE(transport_->WaitForSent(1));
  clock_.Advance(2s);  // it is written once a second at most
  Answer("evt_r1_1", Status(503));
  const auto shows = [&](std::string_view answer) {
    return Eventually([&] {
      const auto state = store_->FindEndpoint("portal").value();
      return state && state->last_answer == answer;
    });
  };
  ASSERT_TRUE(shows("503 Service Unavailable"));
  clock_.Advance(2s);
  Answer("evt_r1_1", Status(200));
  ASSERT_TRUE(shows("200"));
}

TEST_F(DelivererTest, ASuccessfulTestByAnotherProcessLiftsA410) {
  Start({EndpointAt("portal")});
  Add("r1");
  Answer("evt_r1_1", Status(410));
  ASSERT_TRUE(WaitForHold(store::HoldKind::kDisabled));
  store::EndpointState lifted = **store_->FindEndpoint("portal");
  lifted.hold = store::HoldKind::kNone;
  lifted.hold_since.reset();
  ASSERT_TRUE(store_->SaveEndpoint(lifted));
  clock_.Advance(10s);
  Answer("evt_r1_1", Status(200));
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 1));
}

TEST_F(DelivererTest, AHoldSurvivesARestart) {
  Start({EndpointAt("portal")});
  Add("r1");
  Answer("evt_r1_1", Status(410));
  ASSERT_TRUE(WaitForHold(store::HoldKind::kDisabled));
  deliverer_->Stop(0ms);
  Start({EndpointAt("portal")});
  Add("r2");
  Settle();
  EXPECT_TRUE(transport_->sent().empty());
}

TEST_F(DelivererTest, ADeadEndpointDelaysNoOther) {
  Start({EndpointAt("dead", "http://127.0.0.1:9/dead"), EndpointAt("portal")}, [](const HttpCall& call) {
    return call.target->url.Reveal().ends_with("dead") ? std::nullopt : std::optional(Status(200));
  });
  std::vector<store::Commitment> batch;
  for (int i = 0; i < 200; ++i) batch.push_back(Change("r" + std::to_string(i), 1, {"dead", "portal"}));
  Commit(batch);
  deliverer_->Notify();
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 200));
  EXPECT_EQ(transport_->open().size(), 16U);
}

TEST_F(DelivererTest, HoldsOnlyAWindowOfALongQueueInMemory) {
  config::EndpointSettings settings = EndpointAt("portal");
  settings.concurrency = 2;
  Start({settings});
  std::vector<store::Commitment> batch;
  for (int i = 0; i < 5000; ++i) batch.push_back(Change("r" + std::to_string(i), 1));
  Commit(batch);
  deliverer_->Notify();
  ASSERT_TRUE(transport_->WaitForSent(2));
  Settle();
  // What the deliverer has not leased is free for another.
  const auto left = store_->Claim("portal", clock_.Now(), 10'000, "other", clock_.Now() + 1h);
  EXPECT_GE(left->size(), 5000 - kWindow - 2);
}

TEST_F(DelivererTest, RestsWhileASlowReceiverKeepsItsWindowFull) {
  config::EndpointSettings settings = EndpointAt("portal");
  settings.concurrency = 2;
  std::vector<store::Commitment> batch;
  for (int i = 0; i < 1000; ++i) batch.push_back(Change("r" + std::to_string(i), 1));
  Commit(batch);
  Start({settings});
  ASSERT_TRUE(transport_->WaitForSent(2));
  Settle();
  const std::size_t before = transport_->hasty_polls();
  for (int i = 0; i < 10; ++i) Settle();
  EXPECT_EQ(transport_->hasty_polls(), before);
}

TEST_F(DelivererTest, AProgramThatLoopsDoesNotKeepOtherEndpointsWaiting) {
  config::EndpointSettings looping = EndpointAt("looping");
  looping.transform = config::JqText{"last(repeat(1))", "conf:1: transform"};
  RealClock real;
  std::vector<store::Commitment> batch;
  for (int i = 0; i < 20; ++i) batch.push_back(Change("r" + std::to_string(i), 1, {"looping", "portal"}));
  Commit(batch);
  auto transport = std::make_unique<fakes::FakeTransport>([](const HttpCall&) { return Status(200); });
  Deliverer deliverer(*store_, std::move(transport), real, random_, log_, observer_, "serve");
  std::vector<EndpointPlan> plans;
  for (const auto& settings : {looping, EndpointAt("portal")})
    plans.push_back(EndpointPlan::Make(settings, {}, "teleport-webhooks/test", compiler_.get()).value());
  ASSERT_TRUE(deliverer.SetEndpoints(std::move(plans)));
  deliverer.Start();
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 20));
  EXPECT_LT(Deliveries(DeliveryStatus::kDead).size(), 20U);
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDead, 20));
}

TEST_F(DelivererTest, AnEventThatCannotBeShapedBecomesADeadLetterWithTheReason) {
  config::EndpointSettings settings = EndpointAt("portal");
  settings.transform = config::JqText{".data.user.name", "conf:7: webhook.transform"};
  Start({settings});
  Commit({Change("r1", 1), Change("r1", 2)});
  deliverer_->Notify();
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDead, 2));
  EXPECT_THAT(Deliveries()[0].last_error, HasSubstr("conf:7: webhook.transform: jq: "));
  EXPECT_TRUE(transport_->sent().empty());
}

TEST_F(DelivererTest, StopLetsRequestsUnderWayFinish) {
  Start({EndpointAt("portal")});
  Add("r1");
  ASSERT_TRUE(transport_->WaitForSent(1));
  const auto room = [this] { return deliverer_->Room().room["portal"]; };
  ASSERT_TRUE(Eventually([&] { return room() > 0; }));
  std::jthread stopper([this] { deliverer_->Stop(15s); });
  ASSERT_TRUE(Eventually([&] { return room() == 0; }));  // from here on it takes nothing new
  Add("r2");
  Answer("evt_r1_1", Status(200));
  stopper.join();
  EXPECT_EQ(Deliveries(DeliveryStatus::kDelivered).size(), 1U);
  EXPECT_EQ(Deliveries(DeliveryStatus::kPending).size(), 1U);
}

TEST_F(DelivererTest, HurryEndsTheWaitingOfStop) {
  Start({EndpointAt("portal")});
  Add("r1");
  ASSERT_TRUE(transport_->WaitForSent(1));
  const auto room = [this] { return deliverer_->Room().room["portal"]; };
  ASSERT_TRUE(Eventually([&] { return room() > 0; }));
  std::jthread stopper([this] { deliverer_->Stop(std::chrono::hours(1)); });
  ASSERT_TRUE(Eventually([&] { return room() == 0; }));
  deliverer_->Hurry();
  stopper.join();
  ASSERT_EQ(Deliveries(DeliveryStatus::kPending).size(), 1U);
  EXPECT_EQ(Deliveries()[0].attempts, 0);
}

TEST_F(DelivererTest, StopGivesBackWhatDidNotFinishInTimeUncounted) {
  Start({EndpointAt("portal")});
  Add("r1");
  ASSERT_TRUE(transport_->WaitForSent(1));
  deliverer_->Stop(0ms);
  const auto free = store_->Claim("portal", clock_.Now(), 10, "next", clock_.Now() + 1h);
  ASSERT_EQ(free->size(), 1U);
  EXPECT_EQ(free->at(0).attempts, 0);
}

TEST_F(DelivererTest, TakesDeliveriesThatACommitHandsOver) {
  Start({EndpointAt("portal")}, [](const HttpCall&) { return Status(200); });
  ASSERT_TRUE(Eventually([&] { return deliverer_->Room().room["portal"] > 0; }));
  const store::Commitment batch[] = {Change("r1", 1), Change("r2", 1)};
  auto committed = store_->CommitAndClaim(batch, deliverer_->Room());
  ASSERT_TRUE(committed);
  EXPECT_EQ(committed->claimed.size(), 2U);
  deliverer_->Take(std::move(committed->claimed));
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 2));
}

TEST_F(DelivererTest, ShowsNoRoomWhileTheEndpointIsHeld) {
  Start({EndpointAt("portal")});
  Add("r1");
  Answer("evt_r1_1", Status(410));
  ASSERT_TRUE(WaitForHold(store::HoldKind::kDisabled));
  ASSERT_TRUE(Eventually([&] { return deliverer_->Room().room["portal"] == 0; }));
}

TEST_F(DelivererTest, LogsNeitherUrlPathNorSecrets) {
  config::EndpointSettings settings = EndpointAt("portal", "http://127.0.0.1:9/path-canary?query-canary");
  settings.bearer_token = Secret("token-canary");
  settings.secrets = {Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")};
  Start({settings});
  int n = 0;
  for (const int status : {200, 302, 400, 404, 503, 410}) {
    Add("r" + std::to_string(++n));
    HttpAnswer answer = Status(status);
    answer.location = "https://other.example.com/location-canary";
    answer.body = "body";
    Answer("evt_r" + std::to_string(n) + "_1", answer);
  }
  ASSERT_TRUE(WaitForHold(store::HoldKind::kDisabled));
  EXPECT_THAT(log_.lines(), Each(Not(HasSubstr("canary"))));
  EXPECT_THAT(log_.lines(), Each(Not(HasSubstr("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))));
  EXPECT_GE(log_.lines().size(), 6U);
}

}  // namespace
}  // namespace tw::webhook
