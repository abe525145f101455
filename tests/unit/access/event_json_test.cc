#include "access/event_json.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace tw::access {
namespace {

// Text that a stranger wrote: wrong types must be told, never guessed at.
TEST(RequestFromJson, RefusesEveryMemberOfAWrongType) {
  for (const char* members : {R"("id":1)",
                              R"("user":[])",
                              R"("roles":"dba")",
                              R"("roles":[1])",
                              R"("roles":{"a":"b"})",
                              R"("state":true)",
                              R"("state":"MAYBE")",
                              R"("created":5)",
                              R"("created":"soon")",
                              R"("resources":5)",
                              R"("resources":{"a":{}})",
                              R"("resources":["node"])",
                              R"("reviews":"all")",
                              R"("reviews":[[]])",
                              R"("thresholds":true)",
                              R"("thresholds":[{"approve":-1}])",
                              R"("thresholds":[{"approve":1.5}])",
                              R"("thresholds":[{"deny":4294967296}])",
                              R"("annotations":[])",
                              R"("annotations":{"system":["a"]})",
                              R"("access_list":"l")",
                              R"("kind":1)",
                              R"("kind":"2nd")",
                              R"("kind":"99999999999")",
                              R"("revision":{})"}) {
    const auto request = RequestFromJson("{" + std::string(members) + "}");
    ASSERT_FALSE(request) << members;
    EXPECT_EQ(request.error().kind, ErrorKind::kUsage) << members;
  }
}

TEST(RequestFromJson, TakesNullForMissing) {
  const auto request = RequestFromJson(
      R"({"id":"x","roles":null,"resources":null,"reviews":null,"annotations":null,"access_list":null,"created":null})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->id, "x");
  EXPECT_TRUE(request->roles.empty());
  EXPECT_FALSE(request->access_list);
}

TEST(RequestFromJson, ReadsKindsThatThisVersionDoesNotKnow) {
  const auto request = RequestFromJson(R"({"id":"x","kind":"7"})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->kind, 7);
}

TEST(EventFromJson, RefusesSequenceNumbersThatAreNoWholeNumbers) {
  for (const char* seq : {"1e300", "1.5", "\"3\"", "18446744073709551615", "[]"}) {
    EXPECT_FALSE(EventFromJson(R"({"type":"created","seq":)" + std::string(seq) + R"(,"data":{"id":"x"}})"))
        << seq;
  }
  const auto event = EventFromJson(R"({"type":"created","seq":3,"data":{"id":"x"}})");
  ASSERT_TRUE(event) << event.error().message;
  EXPECT_EQ(event->seq, 3);
}

TEST(EventFromJson, SaysInItsOwnWordsThatANumberIsTooLarge) {
  const auto event = EventFromJson(R"({"type":"created","data":{"id":"x","n":1e400}})");
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().message, "not an event: it holds a number that is too large");
}

TEST(EventFromJson, RefusesADecisionThatIsNoObject) {
  EXPECT_FALSE(EventFromJson(R"({"type":"created","data":{"id":"x","decision":"mine"}})"));
}

TEST(EventFromJson, KnowsOnlyTheIdWhereNoStateIsTold) {
  const auto event = EventFromJson(R"({"type":"deleted","id":"evt_1","data":{"id":"x","user":"alice"}})");
  ASSERT_TRUE(event) << event.error().message;
  EXPECT_FALSE(event->content_known);
  EXPECT_EQ(event->request.id, "x");
  EXPECT_EQ(event->request.user, "");
}

TEST(EventFromJson, ShowsWhatItStumbledOverEscaped) {
  for (const std::string text : {"{\"type\x7f", "\"\xc2\x9b[31m", "\xe2\x80\xae", "[\"\xff\"]"}) {
    const auto event = EventFromJson(text);
    ASSERT_FALSE(event);
    EXPECT_EQ(EscapeControls(event.error().message), event.error().message);
  }
}

}  // namespace
}  // namespace tw::access
