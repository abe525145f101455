#include "webhook/payload.h"

#include <gmock/gmock.h>

#include "crypto/webhook_signature.h"
#include "sample_event.h"

namespace tw::webhook {
namespace {

using config::PayloadKind;
using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

const BodyContext kContext{false, "https://hooks.example.com:8081/"};

Payload Make(PayloadKind kind, std::string_view json, std::optional<std::string> shaped = std::nullopt) {
  auto payload = MakePayload(kind, json, kContext, std::move(shaped));
  EXPECT_TRUE(payload) << payload.error().message;
  return payload ? *std::move(payload) : Payload{};
}

TEST(EventPayload, IsTheStoredBytesAsTheyAre) {
  constexpr std::string_view kOdd = "{\"type\" : \"x.y\",\n \"future\":1e400, \"data\":{}}";
  const Payload payload = Make(PayloadKind::kEvent, kOdd);
  EXPECT_EQ(payload.body, kOdd);
  EXPECT_EQ(payload.content_type, "application/json");
}

TEST(LegacyPayload, IsSignedToTheKnownVector) {
  const Payload payload = Make(PayloadKind::kLegacy, SampleJson());
  EXPECT_EQ(payload.content_type, "application/json");
  const auto key = crypto::WebhookKey::ForSigning("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                                  crypto::WebhookScheme::kStandard);
  EXPECT_EQ(crypto::SignStandard({&*key, 1}, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, payload.body),
            "v1,i6vbZId3Ak4mBrOs5sHhZWiGyHWLMg3iZqFB7bGCEvc=");
}

TEST(FormPayload, CarriesTheLegacyJsonAndOneFieldForEachKey) {
  const Payload payload = Make(PayloadKind::kForm, SampleJson());
  EXPECT_EQ(payload.content_type, "application/x-www-form-urlencoded");
  EXPECT_EQ(
      payload.body,
      "payload=%7B%22ClusterName%22%3A%22example.com%22%2C%22RequestID%22%3A%2201890a5d-ac96-774b-bcce-"
      "b302099a8057%22%2C%22User%22%3A%22alice%22%2C%22Roles%22%3A%5B%22editor%22%2C%22access%22%5D%2C%22"
      "CreatedAt%22%3A1614265330%2C%22State%22%3A%22Pending%22%2C%22NotifyOnly%22%3Afalse%2C%22CallbackURL%"
      "22%3A"
      "%22https%3A%2F%2Fhooks.example.com%3A8081%2F%22%7D&ClusterName=example.com&RequestID=01890a5d-ac96-"
      "774b-"
      "bcce-b302099a8057&User=alice&Roles=editor%2Caccess&CreatedAt=1614265330&State=Pending&NotifyOnly="
      "false&"
      "CallbackURL=https%3A%2F%2Fhooks.example.com%3A8081%2F");
}

TEST(FormPayload, EncodesAsBrowsersDo) {
  access::Event event = SampleEvent();
  event.request.user = "zo\u00eb + 100% & more~*-._";
  EXPECT_THAT(Make(PayloadKind::kForm, access::EventToJson(event)).body,
              HasSubstr("&User=zo%C3%AB+%2B+100%25+%26+more%7E*-._&"));
}

TEST(FormPayload, SignsTheFormBytesThatAreSent) {
  const Payload payload = Make(PayloadKind::kForm, SampleJson());
  const std::string only_payload = payload.body.substr(0, payload.body.find('&'));
  EXPECT_EQ(only_payload.size(), 349U);
  const auto key =
      crypto::WebhookKey::ForSigning("It's a Secret to Everybody", crypto::WebhookScheme::kGithub);
  EXPECT_EQ(crypto::SignGithub(*key, only_payload),
            "sha256=4a1a3ff9eec2df7efce2a86dd7b71b0db268b72710c76b19837e3fb35b5b30c0");
}

constexpr std::string_view kSmallEvent =
    R"({"type":"access_request.created","id":"evt_1","timestamp":"2026-11-22T10:00:00.123Z","version":1,)"
    R"("cluster":"my cluster","source":"watch","seq":3,"data":{"id":"r 1\u00eb","future":9007199254740993,"user":"a"}})";

TEST(StructuredCloudEvent, WrapsTheDataInTheEnvelope) {
  const Payload payload = Make(PayloadKind::kCloudEvents, kSmallEvent);
  EXPECT_EQ(payload.content_type, "application/cloudevents+json");
  EXPECT_EQ(
      payload.body,
      R"({"specversion":"1.0","id":"evt_1","source":"/teleport/my%20cluster","type":"access_request.created",)"
      "\"subject\":\"r "
      "1\u00eb\",\"time\":\"2026-11-22T10:00:00.123Z\",\"seq\":3,\"origin\":\"watch\","
      "\"datacontenttype\":\"application/json\","
      "\"data\":{\"id\":\"r 1\u00eb\",\"future\":9007199254740993,\"user\":\"a\"}}");
  EXPECT_TRUE(payload.headers.empty());
}

TEST(BinaryCloudEvent, PutsAttributesIntoHeadersAndDataIntoTheBody) {
  const Payload payload = Make(PayloadKind::kCloudEventsBinary, kSmallEvent);
  EXPECT_EQ(payload.content_type, "application/json");
  EXPECT_EQ(payload.body, "{\"id\":\"r 1\u00eb\",\"future\":9007199254740993,\"user\":\"a\"}");
  EXPECT_THAT(payload.headers, Contains(Pair("ce-specversion", "1.0")));
  EXPECT_THAT(payload.headers, Contains(Pair("ce-id", "evt_1")));
  EXPECT_THAT(payload.headers, Contains(Pair("ce-type", "access_request.created")));
  EXPECT_THAT(payload.headers, Contains(Pair("ce-time", "2026-11-22T10:00:00.123Z")));
  EXPECT_THAT(payload.headers, Contains(Pair("ce-subject", "r%201%C3%AB")));
  EXPECT_THAT(payload.headers, Contains(Pair("ce-seq", "3")));
}

TEST(BinaryCloudEvent, CannotSmuggleAHeader) {
  access::Event event = SampleEvent();
  event.request.id = "x\r\nEvil: yes";
  for (const auto& [name, value] :
       Make(PayloadKind::kCloudEventsBinary, access::EventToJson(event)).headers) {
    EXPECT_EQ(value.find_first_of("\r\n "), std::string::npos) << name;
  }
}

TEST(TransformedPayload, ReplacesTheBodyOrTheDataOfACloudEvent) {
  for (const PayloadKind kind : {PayloadKind::kLegacy, PayloadKind::kEvent, PayloadKind::kForm}) {
    const Payload payload = Make(kind, SampleJson(), "{\"text\":\"hi\"}");
    EXPECT_EQ(payload.body, "{\"text\":\"hi\"}");
    EXPECT_EQ(payload.content_type, "application/json");
  }
  EXPECT_TRUE(Make(PayloadKind::kCloudEvents, kSmallEvent, "[1]").body.ends_with("\"data\":[1]}"));
  EXPECT_EQ(Make(PayloadKind::kCloudEventsBinary, kSmallEvent, "[1]").body, "[1]");
}

TEST(Payload, RefusesAStoredEventThatCannotBeRead) {
  for (const PayloadKind kind : {PayloadKind::kLegacy, PayloadKind::kForm, PayloadKind::kCloudEvents,
                                 PayloadKind::kCloudEventsBinary}) {
    for (const std::string_view text :
         {"", "[]", "{\"type\":\"x\"}", "{\"data\":{}}", "{\"id\":\"x\",\"type\":\"y\",\"data\":1}"}) {
      EXPECT_FALSE(MakePayload(kind, text, kContext)) << text;
    }
  }
}

}  // namespace
}  // namespace tw::webhook
