// Endpoints that change while deliveries are queued or under way.
#include "deliverer_harness.h"

namespace tw::webhook {
namespace {

using namespace std::chrono_literals;
using fakes::Status;
using store::DeliveryStatus;
using testing::Each;

TEST_F(DelivererTest, A410DisablesTheEndpointUntilItsUrlChanges) {
  Start({EndpointAt("portal")});
  Commit({Change("r1", 1), Change("r1", 2)});
  deliverer_->Notify();
  Answer("evt_r1_1", Status(410));
  ASSERT_TRUE(WaitForHold(store::HoldKind::kDisabled));
  EXPECT_TRUE(log_.Said("endpoint disabled"));
  Add("r2");
  clock_.Advance(100h);
  Settle();
  EXPECT_EQ(transport_->sent().size(), 1U);
  Configure({EndpointAt("portal", "http://127.0.0.1:9/new")});
  Answer("evt_r1_1", Status(200));
  Answer("evt_r1_2", Status(200));
  Answer("evt_r2_1", Status(200));
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 3));
  EXPECT_EQ(transport_->sent().back().target->url.Reveal(), "http://127.0.0.1:9/new");
}

TEST_F(DelivererTest, AChangedUrlMakesWhatWaitsDueAtOnce) {
  Start({EndpointAt("portal")});
  Commit({Change("r1", 1), Change("r1", 2), Change("r2", 1)});
  deliverer_->Notify();
  Answer("evt_r2_1", Status(500));
  Answer("evt_r1_1", Status(429, "86400"));
  ASSERT_TRUE(WaitForHold(store::HoldKind::kRetryAfter));
  ASSERT_TRUE(WaitForAttempts(2));
  Configure({EndpointAt("portal", "http://127.0.0.1:9/new")});
  Answer("evt_r1_1", Status(200));
  Answer("evt_r1_2", Status(200));
  Answer("evt_r2_1", Status(200));
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 3));
}

TEST_F(DelivererTest, WhatAFormerUrlAnswersLateSaysNothingOfTheNewOne) {
  for (const HttpAnswer& late : {Status(410), Status(503, "3600"), Status(400), Status(500)}) {
    Start({EndpointAt("portal")});
    const std::string request = "r" + std::to_string(late.status);
    Add(request);
    ASSERT_TRUE(transport_->WaitForSent(1));
    Configure({EndpointAt("portal", "http://127.0.0.1:9/new")});
    Settle();
    Answer("evt_" + request + "_1", late);
    ASSERT_TRUE(transport_->WaitForSent(2)) << late.status;
    EXPECT_EQ(transport_->sent().back().target->url.Reveal(), "http://127.0.0.1:9/new");
    Answer("evt_" + request + "_1", Status(200));
    ASSERT_TRUE(Eventually([&] { return Deliveries(DeliveryStatus::kPending).empty(); }));
    deliverer_->Stop(0ms);
  }
  EXPECT_EQ(Deliveries(DeliveryStatus::kDelivered).size(), 4U);
  EXPECT_THAT(observer_.states(), Each(testing::StrEq("portal open")));
  EXPECT_TRUE(log_.Said("delivery failed at a URL that is configured no more"));
}

TEST_F(DelivererTest, AReloadDoesNotUndoTheLiftingOfA410) {
  Start({EndpointAt("portal")});
  Add("r1");
  Answer("evt_r1_1", Status(410));
  ASSERT_TRUE(WaitForHold(store::HoldKind::kDisabled));
  Settle();  // what it keeps looking up in the store is looked up for now
  store::EndpointState lifted = **store_->FindEndpoint("portal");
  LiftHold(lifted, clock_.Now());
  ASSERT_TRUE(store_->SaveEndpoint(lifted));
  Configure({EndpointAt("portal")});
  Settle();
  clock_.Advance(2s);
  Answer("evt_r1_1", Status(200));
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 1));
}

TEST_F(DelivererTest, KeepsDeliveriesOfARemovedEndpointWithoutSendingThem) {
  Start({EndpointAt("portal")}, [](const HttpCall&) { return Status(200); });
  Add("r1", 1, {"portal", "removed"});
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 1));
  Settle();
  const auto pending = Deliveries(DeliveryStatus::kPending);
  ASSERT_EQ(pending.size(), 1U);
  EXPECT_EQ(pending[0].endpoint, "removed");
  EXPECT_EQ(transport_->sent().size(), 1U);
}

TEST_F(DelivererTest, AnEndpointRemovedMeanwhileStillGetsItsAnswerRecorded) {
  Start({EndpointAt("portal")});
  Add("r1");
  ASSERT_TRUE(transport_->WaitForSent(1));
  Configure({});
  Settle();
  Answer("evt_r1_1", Status(200));
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 1));
  EXPECT_THAT(observer_.states(), testing::Contains("portal removed"));
}

TEST_F(DelivererTest, AnEndpointThatWasAwayMeanwhileIsProbedLikeAnyOther) {
  config::EndpointSettings settings = EndpointAt("portal");
  settings.breaker.failures = 1;
  Start({settings});
  Add("r1");
  ASSERT_TRUE(transport_->WaitForSent(1));
  Configure({});
  Settle();
  Configure({settings});
  Settle();
  Answer("evt_r1_1", Status(500));
  ASSERT_TRUE(WaitForHold(store::HoldKind::kBreaker));
  clock_.Advance(1min);
  Answer("evt_r1_1", Status(200));
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 1));
}

TEST_F(DelivererTest, MakesTheBodyUnderTheSettingsThenInForce) {
  Start({EndpointAt("portal")});
  Add("r1");
  Answer("evt_r1_1", Status(500));
  ASSERT_TRUE(WaitForAttempts(1));
  config::EndpointSettings settings = EndpointAt("portal");
  settings.transform = config::JqText{"{changed: true}", "conf:1: transform"};
  Configure({settings});
  clock_.Advance(2s);
  Answer("evt_r1_1", Status(200));
  ASSERT_TRUE(WaitForStatus(DeliveryStatus::kDelivered, 1));
  EXPECT_EQ(transport_->sent().back().body, "{\"changed\":true}");
}

}  // namespace
}  // namespace tw::webhook
