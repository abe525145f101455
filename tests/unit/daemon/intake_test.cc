#include "daemon/intake.h"

#include <gmock/gmock.h>

#include "unit/webhook/deliverer_harness.h"

namespace tw::daemon {
namespace {

using access::EventType;
using access::RequestState;
using testing::ElementsAre;

class IntakeTest : public webhook::DelivererTest {
 protected:
  void SetUp() override {
    auto legacy = webhook::EndpointAt("portal");
    legacy.payload = config::PayloadKind::kLegacy;
    legacy.request_states = {"*"};
    Start({legacy});  // nobody answers: what is queued stays
    intake_.emplace(*store_, *deliverer_, log_, webhook::Router::Create({legacy}, nullptr).value(),
                    [this](const access::Event& event) { told_.push_back(event.id); });
  }

  // As the watcher makes them: it has not seen what routing recorded for changes that are not committed yet.
  access::Change Make(int n, EventType type, RequestState state) {
    access::Change change = Change("r", n).change;
    change.event->type = type;
    change.event->request.state = change.known.content.state = state;
    change.known.legacy_states = store_->Find("r")->value_or(access::KnownRequest()).legacy_states;
    return change;
  }
  std::vector<std::string> Queued() {
    std::vector<std::string> ids;
    for (const store::Delivery& delivery : Deliveries()) ids.push_back(delivery.event_id);
    return ids;
  }

  std::vector<std::string> told_;
  std::optional<Intake> intake_;
};

TEST_F(IntakeTest, RepeatsNoLegacyStateWithinOneBatchNorAcrossBatches) {
  ASSERT_TRUE(intake_->Commit({Make(1, EventType::kCreated, RequestState::kPending),
                               Make(2, EventType::kReviewed, RequestState::kPending),
                               Make(3, EventType::kApproved, RequestState::kApproved),
                               Make(4, EventType::kUpdated, RequestState::kApproved)}));
  EXPECT_THAT(Queued(), ElementsAre("evt_r_1", "evt_r_3"));
  ASSERT_TRUE(intake_->Commit({Make(5, EventType::kUpdated, RequestState::kApproved),
                               Make(6, EventType::kExpired, RequestState::kApproved)}));
  EXPECT_THAT(Queued(), ElementsAre("evt_r_1", "evt_r_3", "evt_r_6"));
  EXPECT_THAT(told_, ElementsAre("evt_r_1", "evt_r_2", "evt_r_3", "evt_r_4", "evt_r_5", "evt_r_6"));
}

TEST_F(IntakeTest, AFilterThatFailsMakesADeadLetterAtOnce) {
  auto filtered = webhook::EndpointAt("portal");
  filtered.request_states = {"*"};
  filtered.when = config::JqText{".data.user.name", "conf:4: when"};
  intake_->SetRouter(webhook::Router::Create({filtered}, compiler_.get()).value());
  ASSERT_TRUE(intake_->Commit({Make(1, EventType::kCreated, RequestState::kPending)}));
  const auto dead = Deliveries(store::DeliveryStatus::kDead);
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_THAT(dead[0].last_error, testing::HasSubstr("conf:4: when: jq: "));
  EXPECT_TRUE(log_.Said("dead letter: the filter of its endpoint failed on the event endpoint=portal"));
  Settle();
  EXPECT_TRUE(transport_->sent().empty());
}

}  // namespace
}  // namespace tw::daemon
