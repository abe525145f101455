#include "callback/body.h"

#include <gtest/gtest.h>

#include "callback/json.h"

namespace tw::callback {
namespace {

using access::RequestState;

std::string Nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

TEST(LegacyBody, MatchesKeysAsGoDid) {
  for (const std::string body :
       {R"({"payload":{"ReqID":"r","State":"Approved","Delegator":"d"}})",
        R"({"PAYLOAD":{"reqid":"r","STATE":"approved","delegator":"d","extra":{"a":[1]}},"more":1})",
        R"({"Payload":{"RequestID":"r","state":"APPROVED","DELEGATOR":"d"}})",
        R"( {"payload":{"ReqID":"r","RequestID":"r","State":"Approved","Delegator":"d"}} )"}) {
    const auto ask = ParseLegacyBody(body);
    ASSERT_TRUE(ask) << body;
    EXPECT_EQ(ask->request_id, "r");
    EXPECT_EQ(ask->decision, RequestState::kApproved);
    EXPECT_EQ(ask->delegator, "d");
  }
}

TEST(LegacyBody, RefusesWhatCouldBeReadInTwoWays) {
  for (const std::string body :
       {R"({"payload":{"ReqID":"a","reqid":"b","State":"Approved"}})",
        R"({"payload":{"ReqID":"a","RequestID":"b","State":"Approved"}})",
        R"({"payload":{"ReqID":"a","State":"Denied","state":"Approved"}})",
        "{\"payload\":{\"ReqID\":\"a\",\"State\":\"Denied\",\"\xc5\xbftate\":\"Approved\"}}",
        R"({"payload":{"ReqID":"a","State":"Denied","\u017ftate":"Approved"}})",
        R"({"payload":{"ReqID":"a","State":"Approved"},"Payload":{}})",
        R"({"payload":{"ReqID":"a","State":"Approved"}} x)",
        R"({"payload":{"ReqID":"a","State":"Approved"}}{})", R"({"payload":{"ReqID":1,"State":"Approved"}})",
        R"({"payload":{"ReqID":["a"],"State":"Approved"}})", R"(payload=%7B%7D)", "", "[]", "\"x\"",
        "{\"payload\":{\"ReqID\":\"a\xff\",\"State\":\"Approved\"}}",
        R"({"payload":{"ReqID":"\ud800","State":"Approved"}})"}) {
    EXPECT_FALSE(ParseLegacyBody(body)) << body;
  }
}

TEST(LegacyBody, TellsAFormWhereFormsGo) {
  const auto ask = ParseLegacyBody("ReqID=a&State=Approved");
  ASSERT_FALSE(ask);
  EXPECT_NE(ask.error().message.find("forms go to /v1/requests/ID/approve"), std::string::npos);
}

TEST(Json, IsLimitedInDepth) {
  EXPECT_TRUE(ParseJson(Nested(kJsonDepth), JsonKeys::kExact));
  EXPECT_FALSE(ParseJson(Nested(kJsonDepth + 1), JsonKeys::kExact));
  EXPECT_FALSE(ParseJson(std::string(60'000, '['), JsonKeys::kExact));
}

TEST(Json, RefusesDuplicatesAtEveryLevelAndBrokenNumbers) {
  EXPECT_FALSE(ParseJson(R"({"a":[{"b":1,"b":2}]})", JsonKeys::kExact));
  EXPECT_TRUE(ParseJson(R"({"a":1,"A":2})", JsonKeys::kExact));
  EXPECT_FALSE(ParseJson(R"({"a":1,"A":2})", JsonKeys::kFolded));
  EXPECT_FALSE(ParseJson("1e999999", JsonKeys::kExact));
  EXPECT_FALSE(ParseJson("{\"a\":1,}", JsonKeys::kExact));
}

// nlohmann's parser takes a zero byte for the end.
TEST(Json, RefusesAZeroByteAndWhatFollowsIt) {
  using namespace std::string_view_literals;
  EXPECT_FALSE(ParseJson("{}\0{}"sv, JsonKeys::kExact));
  EXPECT_FALSE(ParseJson("{}\0"sv, JsonKeys::kExact));
  EXPECT_TRUE(ParseJson(R"({"a":"\u0000"})", JsonKeys::kExact));
}

TEST(Json, QuotesWhatCouldBreakOut) {
  EXPECT_EQ(JsonQuote("a\"b\\c\n\x01"), R"("a\"b\\c\n\u0001")");
  EXPECT_EQ(JsonQuote("\xff"), "\"\xef\xbf\xbd\"");
}

TEST(V1Body, KnowsItsFormats) {
  EXPECT_EQ(FormatOf("", ""), BodyFormat::kNothing);
  EXPECT_EQ(FormatOf("Application/JSON; charset=utf-8", "{}"), BodyFormat::kJson);
  EXPECT_EQ(FormatOf("application/cloudevents+json", "{}"), BodyFormat::kJson);
  EXPECT_EQ(FormatOf("application/x-www-form-urlencoded", "a=b"), BodyFormat::kForm);
  EXPECT_EQ(FormatOf("multipart/form-data", "x"), BodyFormat::kOther);
  EXPECT_EQ(FormatOf("", "x"), BodyFormat::kOther);
}

TEST(V1Body, ReadsTheSameFromJsonAndForm) {
  const auto json = ParseV1Body(
      BodyFormat::kJson,
      R"({"request_id":"r","decision":"Deny","delegator":"d","reason":"a b","roles":["x","y"],"annotations":{"k":["1","2"]},"unknown":[1]})");
  const auto form = ParseV1Body(BodyFormat::kForm,
                                "request_id=r&decision=denied&delegator=d&reason=a+b&roles=x&roles=y&"
                                "annotations.k=1&annotations.k=2&unknown=1");
  ASSERT_TRUE(json && form);
  for (const Ask& ask : {*json, *form}) {
    EXPECT_EQ(ask.request_id, "r");
    EXPECT_EQ(ask.decision, RequestState::kDenied);
    EXPECT_EQ(ask.delegator, "d");
    EXPECT_EQ(ask.reason, "a b");
    EXPECT_EQ(ask.roles, (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(ask.annotations, (access::Annotations{{"k", {"1", "2"}}}));
  }
}

TEST(V1Body, RefusesWrongTypesAndRepetitions) {
  for (const std::string body :
       {R"({"reason":1})", R"({"roles":[1]})", R"({"roles":{}})", R"({"annotations":[]})",
        R"({"annotations":{"a":1}})", R"({"decision":"maybe"})", R"({"assume_start_time":"soon"})", "[]"}) {
    EXPECT_FALSE(ParseV1Body(BodyFormat::kJson, body)) << body;
  }
  for (const std::string body : {"reason=a&reason=b", "decision=maybe", "reason=%ff", R"({"reason":"x"})",
                                 "annotations=%7B%22ticket%22%3A%22T-1%22%7D",
                                 "\xef\xbb\xbf{\"reason\":\"&request_id=r&decision=approve&\"}"}) {
    EXPECT_FALSE(ParseV1Body(BodyFormat::kForm, body)) << body;
  }
}

}  // namespace
}  // namespace tw::callback
