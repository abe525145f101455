#include "access/event.h"

#include <gtest/gtest.h>

#include "access/event_json.h"
#include "base/duration.h"

namespace tw::access {
namespace {

Event FullEvent() {
  Event event;
  event.type = EventType::kApproved;
  event.id = "evt_0011";
  event.timestamp = *ParseTime("2026-11-22T10:00:00.123Z");
  event.cluster = "example.com";
  event.seq = 3;
  event.previous_state = RequestState::kPending;
  event.web_url = "https://proxy.example.com/web/requests/0192";
  event.decision = DecisionNote{"webhooks:carol", "callback", "state", *ParseTime("2026-11-22T09:59:59Z")};
  AccessRequest& r = event.request;
  r.id = "0192";
  r.user = "alice";
  r.roles = {"dba"};
  r.state = RequestState::kApproved;
  r.reason = "rotate keys";
  r.resolve_reason = "on call";
  r.created = *ParseTime("2026-11-22T09:00:00.5Z");
  r.expires = *ParseTime("2026-11-22T11:00:00Z");
  r.access_expires = *ParseTime("2026-11-22T17:00:00Z");
  r.max_duration = r.session_ttl = r.assume_start_time = r.access_expires;
  r.resources = {{"example.com", "node", "db-1", ""}};
  r.suggested_reviewers = {"carol"};
  r.reviews = {{"carol", RequestState::kApproved, "ok", {}, r.created, std::nullopt, {{"k", {"v"}}}}};
  r.thresholds = {{"default", 1, 1, ""}};
  r.system_annotations = {{"team", {"a", "b"}}};
  r.login_hint = "root";
  r.access_list = AccessList{"list", "Title"};
  r.kind = 2;
  r.revision = "abc";
  return event;
}

TEST(EventJson, WritesTheKeysOfTheContractInTheirOrder) {
  EXPECT_EQ(
      EventToJson(FullEvent()),
      R"({"type":"access_request.approved","id":"evt_0011","timestamp":"2026-11-22T10:00:00.123Z","version":1,)"
      R"("cluster":"example.com","source":"watch","seq":3,"data":{"id":"0192","user":"alice","roles":["dba"],)"
      R"("state":"APPROVED","previous_state":"PENDING","reason":"rotate keys","resolve_reason":"on call",)"
      R"("created":"2026-11-22T09:00:00.500Z","expires":"2026-11-22T11:00:00.000Z",)"
      R"("access_expires":"2026-11-22T17:00:00.000Z",)"
      R"("resources":[{"cluster":"example.com","kind":"node","name":"db-1","sub_resource":""}],)"
      R"("suggested_reviewers":["carol"],"reviews":[{"author":"carol","state":"APPROVED","reason":"ok","roles":[],)"
      R"("created":"2026-11-22T09:00:00.500Z","annotations":{"k":["v"]}}],)"
      R"("thresholds":[{"name":"default","approve":1,"deny":1,"filter":""}],)"
      R"("annotations":{"system":{"team":["a","b"]},"resolve":{}},"max_duration":"2026-11-22T17:00:00.000Z",)"
      R"("session_ttl":"2026-11-22T17:00:00.000Z","assume_start_time":"2026-11-22T17:00:00.000Z",)"
      R"("login_hint":"root","access_list":{"name":"list","title":"Title"},"kind":"LONG_TERM","revision":"abc",)"
      R"("decision":{"by":"webhooks:carol","via":"callback","mode":"state","at":"2026-11-22T09:59:59.000Z"},)"
      R"("web_url":"https://proxy.example.com/web/requests/0192"}})");
}

TEST(EventJson, ReadsBackWhatItWrote) {
  const Event event = FullEvent();
  const auto read = EventFromJson(EventToJson(event));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(EventToJson(*read), EventToJson(event));
  EXPECT_TRUE(SameContent(read->request, event.request));
}

TEST(EventJson, LeavesOutTimesThatTeleportDoesNotHave) {
  Event event;
  event.request.id = "x";
  event.request.state = RequestState::kPending;
  const std::string json = EventToJson(event);
  EXPECT_EQ(json.find("created\":"), std::string::npos);
  EXPECT_NE(json.find("\"roles\":[]"), std::string::npos);
  EXPECT_NE(json.find("\"annotations\":{\"system\":{},\"resolve\":{}}"), std::string::npos);
}

TEST(EventJson, ShowsOnlyTheIdOfARequestThatWasNeverSeen) {
  Event event;
  event.type = EventType::kDeleted;
  event.request.id = "ghost";
  event.content_known = false;
  EXPECT_NE(EventToJson(event).find(R"("data":{"id":"ghost"}})"), std::string::npos);
  EXPECT_FALSE(EventFromJson(EventToJson(event))->content_known);
}

TEST(EventJson, WritesAnUnknownStateAsItsNumber) {
  Event event = FullEvent();
  event.request.state = static_cast<RequestState>(9);
  EXPECT_NE(EventToJson(event).find("\"state\":\"9\""), std::string::npos);
  EXPECT_EQ(static_cast<int>(EventFromJson(EventToJson(event))->request.state), 9);
}

TEST(EventJson, ReplacesTextThatIsNotUtf8) {
  Event event = FullEvent();
  event.request.reason =
      "a\xff"
      "b";
  EXPECT_NE(EventToJson(event).find("a\xef\xbf\xbd"
                                    "b"),
            std::string::npos);
}

TEST(EventJson, RefusesWhatIsNotAnEvent) {
  for (const char* text :
       {"", "{", "[]", "1", "null", R"({"type":"x","data":{}})", R"({"type":"access_request.created"})",
        R"({"type":"access_request.created","data":[]})",
        R"({"type":"access_request.created","data":{"id":5}})",
        R"({"type":"access_request.created","data":{"id":"a","created":"yesterday"}})",
        R"({"type":"access_request.created","data":{"id":"a","kind":"odd"}})"}) {
    EXPECT_FALSE(EventFromJson(text).has_value()) << text;
  }
  std::string deep(200, '[');
  EXPECT_FALSE(EventFromJson(deep).has_value());
}

TEST(EventId, NamesTheChangeAndNotTheAttempt) {
  AccessRequest request = FullEvent().request;
  const std::string id = ChangeEventId("c", request);
  EXPECT_EQ(id, ChangeEventId("c", request));
  EXPECT_NE(id, ChangeEventId("d", request));
  EXPECT_NE(id, CreatedEventId("c", request.id));
  EXPECT_NE(GoneEventId("c", request.id), CreatedEventId("c", request.id));
  EXPECT_LE(id.size(), 64U);
  EXPECT_EQ(id.find('.'), std::string::npos);
  EXPECT_TRUE(id.starts_with("evt_"));
  request.revision = "def";
  EXPECT_NE(id, ChangeEventId("c", request));
}

TEST(EventId, FallsBackToTheMetadataIdAndThenToTheContent) {
  AccessRequest request = FullEvent().request;
  request.revision.clear();
  const std::string by_content = ChangeEventId("c", request);
  request.metadata_id = 7;
  const std::string by_number = ChangeEventId("c", request);
  EXPECT_NE(by_content, by_number);
  request.resolve_reason = "changed";
  EXPECT_EQ(by_number, ChangeEventId("c", request));
  request.metadata_id = 0;
  EXPECT_NE(by_content, ChangeEventId("c", request));
}

}  // namespace
}  // namespace tw::access
