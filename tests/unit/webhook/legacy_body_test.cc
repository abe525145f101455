// Golden tests: each expected text is what Go 1.16's encoding/json gives for the original's structure.
#include "webhook/legacy_body.h"

#include <gtest/gtest.h>

#include "sample_event.h"
#include "webhook/go_json.h"

namespace tw::webhook {
namespace {

using access::EventType;
using access::RequestState;

std::string Quoted(std::string_view text) {
  std::string out;
  AppendGoString(out, text);
  return out;
}

struct Escape {
  std::string_view raw;
  std::string_view written;
};

class GoString : public testing::TestWithParam<Escape> {};

TEST_P(GoString, IsEscapedAsGoDid) {
  EXPECT_EQ(Quoted(GetParam().raw), GetParam().written);
}

INSTANTIATE_TEST_SUITE_P(
    Rules, GoString,
    testing::Values(Escape{"", R"("")"}, Escape{"plain /text", R"("plain /text")"},
                    Escape{R"(a"b\c)", R"("a\"b\\c")"},
                    Escape{"<a href='x'>&</a>", R"("\u003ca href='x'\u003e\u0026\u003c/a\u003e")"},
                    Escape{"\n\r\t", R"("\n\r\t")"}, Escape{"\b\f\v", R"("\u0008\u000c\u000b")"},
                    Escape{std::string_view("\0\x01\x1f", 3), R"("\u0000\u0001\u001f")"},
                    Escape{"\x7f", "\"\x7f\""}, Escape{"zo\u00eb \U0001F511", "\"zo\u00eb \U0001F511\""},
                    Escape{"\u2028\u2029", R"("\u2028\u2029")"}, Escape{"\u2027\u202a", "\"\u2027\u202a\""},
                    Escape{"a\xff"
                           "b",
                           R"("a\ufffdb")"},
                    Escape{"\xe2\x80", R"("\ufffd\ufffd")"},            // cut short: one for each byte
                    Escape{"\xed\xa0\x80", R"("\ufffd\ufffd\ufffd")"},  // half of a surrogate pair
                    Escape{"\xc0\xaf", R"("\ufffd\ufffd")"},            // overlong
                    Escape{"\xf5\x80\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")"},
                    Escape{"\uFFFD", "\"\uFFFD\""}));  // the character itself stays

constexpr std::string_view kOut =
    R"({"ClusterName":"example.com","RequestID":"01890a5d-ac96-774b-bcce-b302099a8057","User":"alice",)"
    R"("Roles":["editor","access"],"CreatedAt":1614265330,"State":"Pending","NotifyOnly":false,)"
    R"("CallbackURL":"https://hooks.example.com:8081/"})";

const BodyContext kContext{false, "https://hooks.example.com:8081/"};

std::string LegacyOf(const access::Event& event, const BodyContext& context = kContext) {
  const auto fields = ReadLegacyFields(access::EventToJson(event));
  EXPECT_TRUE(fields) << fields.error().message;
  return LegacyJson(*fields, context);
}

TEST(LegacyBody, IsByteForByteTheOriginals) {
  EXPECT_EQ(LegacyOf(SampleEvent()), kOut);
  EXPECT_EQ(kOut.size(), 231U);
}

TEST(LegacyBody, HasNullForNoRolesAndYearOneForNoTime) {
  access::Event event = SampleEvent();
  event.request.roles.clear();
  event.request.created.reset();
  EXPECT_EQ(LegacyOf(event),
            R"({"ClusterName":"example.com","RequestID":"01890a5d-ac96-774b-bcce-b302099a8057",)"
            R"("User":"alice","Roles":null,"CreatedAt":-62135596800,"State":"Pending",)"
            R"("NotifyOnly":false,"CallbackURL":"https://hooks.example.com:8081/"})");
}

TEST(LegacyBody, RoundsTimesDownToTheSecond) {
  access::Event event = SampleEvent();
  event.request.created = SystemTime(std::chrono::milliseconds(1999));
  EXPECT_NE(LegacyOf(event).find("\"CreatedAt\":1,"), std::string::npos);
  event.request.created = SystemTime(std::chrono::milliseconds(-1));
  EXPECT_NE(LegacyOf(event).find("\"CreatedAt\":-1,"), std::string::npos);
}

TEST(LegacyBody, GivesNoCallbackAddressToNotifyOnlyReceivers) {
  const std::string body = LegacyOf(SampleEvent(), {true, "https://hooks.example.com:8081/"});
  EXPECT_TRUE(body.ends_with(R"("NotifyOnly":true,"CallbackURL":""})")) << body;
}

TEST(LegacyBody, WritesThePublicAddressAsItWasConfigured) {
  const std::string body = LegacyOf(SampleEvent(), {false, "hooks.example.com"});
  EXPECT_TRUE(body.ends_with(R"("CallbackURL":"hooks.example.com"})")) << body;
}

TEST(LegacyBody, NamesStatesAsTheOriginalAndNumbersUnknownOnes) {
  EXPECT_EQ(LegacyState(EventType::kCreated, RequestState::kPending), "Pending");
  EXPECT_EQ(LegacyState(EventType::kApproved, RequestState::kApproved), "Approved");
  EXPECT_EQ(LegacyState(EventType::kDenied, RequestState::kDenied), "Denied");
  EXPECT_EQ(LegacyState(EventType::kPromoted, RequestState::kPromoted), "Promoted");
  EXPECT_EQ(LegacyState(EventType::kDeleted, RequestState::kPending), "Deleted");
  EXPECT_EQ(LegacyState(EventType::kExpired, RequestState::kApproved), "Expired");
  EXPECT_EQ(LegacyState(EventType::kUpdated, static_cast<RequestState>(17)), "17");
  EXPECT_EQ(LegacyState(EventType::kUpdated, RequestState::kNone), "");
}

TEST(LegacyBody, ReadsWhatTheWholeEventReaderReads) {
  access::Event event = SampleEvent(EventType::kReviewed, static_cast<RequestState>(9));
  event.request.user = "o'hara <b>\n";
  event.request.reviews.push_back({});
  event.request.reviews[0].author = "carol";
  event.request.reviews[0].roles = {"not", "these"};
  event.request.system_annotations = {{"roles", {"nor", "these"}}, {"user", {"mallory"}}};
  event.request.resources = {{"other.example.com", "node", "n", ""}};
  event.decision = access::DecisionNote{"webhooks:carol", "callback", "state", event.timestamp};
  const auto fields = ReadLegacyFields(access::EventToJson(event));
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->cluster, "example.com");
  EXPECT_EQ(fields->request_id, event.request.id);
  EXPECT_EQ(fields->user, event.request.user);
  EXPECT_EQ(fields->roles, event.request.roles);
  EXPECT_EQ(fields->created_at, 1'614'265'330);
  EXPECT_EQ(fields->state, "9");
}

TEST(LegacyBody, RefusesWhatIsNotAnEvent) {
  for (const std::string_view text :
       {"", "null", "17", "[]", "{}", "{\"type\":", R"({"type":"access_request.created"})",
        R"({"type":17,"data":{"id":"x"}})", R"({"type":"access_request.created","data":{"id":["x"]}})",
        R"({"type":"access_request.created","data":{"id":"x","roles":[1]}})",
        R"({"type":"access_request.created","data":{"id":"x","roles":[["a"]]}})",
        R"({"type":"access_request.created","data":{"id":"x","roles":[{"a":"b"}]}})",
        R"({"type":"access_request.created","data":{"id":"x","state":"ODD"}})",
        R"({"type":"access_request.created","data":{"id":"x","created":"yesterday"}})"}) {
    const auto fields = ReadLegacyFields(text);
    EXPECT_FALSE(fields) << text;
  }
}

TEST(LegacyBody, TakesEventTypesOfALaterVersion) {
  const auto fields =
      ReadLegacyFields(R"({"type":"access_request.frozen","data":{"id":"x","state":"PENDING"}})");
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->state, "Pending");
}

}  // namespace
}  // namespace tw::webhook
