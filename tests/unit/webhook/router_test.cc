#include "webhook/router.h"

#include <gmock/gmock.h>

#include "access/event_json.h"
#include "sample_event.h"

namespace tw::webhook {
namespace {

using access::EventType;
using access::KnownRequest;
using access::RequestState;
using config::EndpointSettings;
using config::PayloadKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

EndpointSettings Endpoint(std::string name, PayloadKind payload = PayloadKind::kEvent,
                          std::vector<std::string> states = {"*"}) {
  EndpointSettings endpoint;
  endpoint.name = std::move(name);
  endpoint.payload = payload;
  endpoint.request_states = std::move(states);
  return endpoint;
}

Router Make(std::vector<EndpointSettings> endpoints) {
  static const std::shared_ptr<jq::Compiler> compiler = jq::LoadCompiler().value();
  auto router = Router::Create(endpoints, compiler.get());
  EXPECT_TRUE(router) << router.error().message;
  return *std::move(router);
}

bool Passes(const std::vector<std::string>& states, EventType type, RequestState state) {
  return StatesAllow(states, SampleEvent(type, state));
}

TEST(RequestStates, TestTheStateOfTheRequest) {
  EXPECT_TRUE(Passes({"Pending"}, EventType::kCreated, RequestState::kPending));
  EXPECT_TRUE(Passes({"Pending"}, EventType::kReviewed, RequestState::kPending));
  EXPECT_FALSE(Passes({"Pending"}, EventType::kApproved, RequestState::kApproved));
  EXPECT_TRUE(Passes({"Approved", "Denied"}, EventType::kDenied, RequestState::kDenied));
  EXPECT_TRUE(Passes({"Promoted"}, EventType::kPromoted, RequestState::kPromoted));
  EXPECT_FALSE(Passes({}, EventType::kCreated, RequestState::kPending));
}

TEST(RequestStates, OnlyRemovalNamesCountForRemovals) {
  for (const EventType gone : {EventType::kDeleted, EventType::kExpired}) {
    EXPECT_FALSE(Passes({"Pending", "Approved", "Denied"}, gone, RequestState::kPending));
    EXPECT_TRUE(Passes({"Deleted"}, gone, RequestState::kPending));
    EXPECT_TRUE(Passes({"Expired"}, gone, RequestState::kPending));
    EXPECT_TRUE(Passes({"Deleted", "Expired"}, gone, RequestState::kPending));
  }
  EXPECT_FALSE(Passes({"Deleted"}, EventType::kCreated, RequestState::kPending));
}

TEST(RequestStates, UnknownStatesPassOnlyWithAStar) {
  const auto unknown = static_cast<RequestState>(9);
  EXPECT_FALSE(
      Passes({"Pending", "Approved", "Denied", "Promoted", "Deleted"}, EventType::kUpdated, unknown));
  EXPECT_TRUE(Passes({"*"}, EventType::kUpdated, unknown));
  EXPECT_TRUE(Passes({"*"}, EventType::kDeleted, RequestState::kPending));
}

TEST(Router, NamesTheEndpointsInConfigurationOrder) {
  Router router = Make({Endpoint("b"), Endpoint("a", PayloadKind::kEvent, {"Approved"}), Endpoint("c")});
  KnownRequest known;
  EXPECT_THAT(router.Route(SampleEvent(), known).endpoints, ElementsAre("b", "c"));
}

TEST(Router, ObeysTheListOfEventTypes) {
  EndpointSettings endpoint = Endpoint("a");
  endpoint.events = {"access_request.approved", "access_request.denied"};
  Router router = Make({endpoint});
  KnownRequest known;
  EXPECT_THAT(router.Route(SampleEvent(), known).endpoints, IsEmpty());
  EXPECT_THAT(router.Route(SampleEvent(EventType::kApproved, RequestState::kApproved), known).endpoints,
              ElementsAre("a"));
}

TEST(Router, SendsWhenTheProgramSaysSo) {
  EndpointSettings endpoint = Endpoint("a");
  endpoint.when = config::JqText{".data.roles | index(\"editor\")", "conf:1: when"};
  EndpointSettings nothing = Endpoint("b");
  nothing.when = config::JqText{"empty", "conf:2: when"};
  EndpointSettings no = Endpoint("c");
  no.when = config::JqText{".data.user == \"bob\"", "conf:3: when"};
  Router router = Make({endpoint, nothing, no});
  KnownRequest known;
  const RouteResult result = router.Route(SampleEvent(), known);
  EXPECT_THAT(result.endpoints, ElementsAre("a"));
  EXPECT_THAT(result.unfiltered, IsEmpty());
}

TEST(Router, TellsWhyAProgramFailedOnAnEvent) {
  EndpointSettings endpoint = Endpoint("a");
  endpoint.when = config::JqText{".data.user.name", "conf:1: when"};
  Router router = Make({endpoint, Endpoint("b")});
  KnownRequest known;
  const RouteResult result = router.Route(SampleEvent(), known);
  EXPECT_THAT(result.endpoints, ElementsAre("b"));
  EXPECT_THAT(result.unfiltered, ElementsAre(Pair("a", HasSubstr("conf:1: when: jq: "))));
}

TEST(Router, RefusesAProgramThatDoesNotCompile) {
  EndpointSettings endpoint = Endpoint("a");
  endpoint.when = config::JqText{".data |", "conf:7: webhook.when"};
  const auto compiler = jq::LoadCompiler().value();
  const auto router = Router::Create({endpoint}, compiler.get());
  ASSERT_FALSE(router);
  EXPECT_EQ(router.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(router.error().message, HasSubstr("conf:7: webhook.when"));
  EXPECT_FALSE(Router::Create({endpoint}, nullptr));
}

TEST(LegacyRouting, DoesNotRepeatAStateToTheSameEndpoint) {
  Router router =
      Make({Endpoint("old", PayloadKind::kLegacy), Endpoint("new"), Endpoint("form", PayloadKind::kForm)});
  KnownRequest known;
  EXPECT_THAT(router.Route(SampleEvent(), known).endpoints, ElementsAre("old", "new", "form"));
  EXPECT_THAT(router.Route(SampleEvent(EventType::kReviewed), known).endpoints, ElementsAre("new"));
  EXPECT_THAT(router.Route(SampleEvent(EventType::kApproved, RequestState::kApproved), known).endpoints,
              ElementsAre("old", "new", "form"));
  EXPECT_THAT(router.Route(SampleEvent(EventType::kExpired, RequestState::kApproved), known).endpoints,
              ElementsAre("old", "new", "form"));
}

TEST(LegacyRouting, RemembersTheStateInTheRecordOfTheRequest) {
  KnownRequest known;
  EXPECT_THAT(Make({Endpoint("old", PayloadKind::kLegacy)}).Route(SampleEvent(), known).endpoints,
              ElementsAre("old"));
  EXPECT_EQ(known.legacy_states.at("old"), "Pending");
  EXPECT_THAT(Make({Endpoint("old", PayloadKind::kLegacy)}).Route(SampleEvent(), known).endpoints, IsEmpty());
}

TEST(LegacyRouting, OnlyRecordsWhatPassedTheFilters) {
  Router router = Make({Endpoint("old", PayloadKind::kLegacy, {"Approved"})});
  KnownRequest known;
  EXPECT_THAT(router.Route(SampleEvent(), known).endpoints, IsEmpty());
  EXPECT_TRUE(known.legacy_states.empty());
  EXPECT_THAT(router.Route(SampleEvent(EventType::kApproved, RequestState::kApproved), known).endpoints,
              ElementsAre("old"));
}

TEST(LegacyRouting, SaysNothingOfARequestThatWasNeverSeen) {
  Router router = Make({Endpoint("old", PayloadKind::kLegacy), Endpoint("new")});
  access::Event event = SampleEvent(EventType::kDeleted);
  event.content_known = false;
  KnownRequest known;
  EXPECT_THAT(router.Route(event, known).endpoints, ElementsAre("new"));
}

TEST(LegacyRouting, DoesNotConcernATransformedBody) {
  EndpointSettings endpoint = Endpoint("shaped", PayloadKind::kLegacy);
  endpoint.transform = config::JqText{".data", "conf:1: transform"};
  Router router = Make({endpoint});
  KnownRequest known;
  EXPECT_THAT(router.Route(SampleEvent(), known).endpoints, ElementsAre("shaped"));
  EXPECT_THAT(router.Route(SampleEvent(EventType::kReviewed), known).endpoints, ElementsAre("shaped"));
}

}  // namespace
}  // namespace tw::webhook
