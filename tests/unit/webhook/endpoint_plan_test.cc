#include "webhook/endpoint_plan.h"

#include <gmock/gmock.h>

#include "base/url.h"
#include "fakes/fake_clock.h"
#include "sample_event.h"

namespace tw::webhook {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Not;
using testing::Pair;

const SystemTime kTime1(std::chrono::milliseconds(1'614'265'330'999));
constexpr std::string_view kId1 = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr const char* kKey1 = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr const char* kKey2 = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

config::EndpointSettings Settings() {
  config::EndpointSettings settings;
  settings.url = ParseUrl("https://hooks.example.com/secret/path?token=1").value();
  return settings;
}

Result<EndpointPlan> TryMake(const config::EndpointSettings& settings) {
  static const std::shared_ptr<jq::Compiler> compiler = jq::LoadCompiler().value();
  return EndpointPlan::Make(settings, {false, "https://hooks.example.com:8081/"}, "teleport-webhooks/1.2.3",
                            compiler.get());
}

HttpCall Build(const config::EndpointSettings& settings) {
  const auto plan = TryMake(settings);
  EXPECT_TRUE(plan) << plan.error().message;
  auto call = plan->Build(7, kId1, SampleJson(), kTime1);
  EXPECT_TRUE(call) << call.error().message;
  return *std::move(call);
}

TEST(EndpointPlan, BuildsTheRequestOfOneAttempt) {
  config::EndpointSettings settings = Settings();
  settings.secrets = {Secret(kKey1), Secret(kKey2)};
  const HttpCall call = Build(settings);
  EXPECT_EQ(call.id, 7U);
  EXPECT_EQ(call.target->url.Reveal(), "https://hooks.example.com/secret/path?token=1");
  EXPECT_EQ(call.body.size(), 231U);
  EXPECT_THAT(call.headers, Contains(Pair("Content-Type", "application/json")));
  EXPECT_THAT(call.headers, Contains(Pair("User-Agent", "teleport-webhooks/1.2.3")));
  EXPECT_THAT(call.headers, Contains(Pair("webhook-id", kId1)));
  EXPECT_THAT(call.headers, Contains(Pair("webhook-timestamp", "1614265330")));
  EXPECT_THAT(call.headers, Contains(Pair("webhook-signature",
                                          "v1,i6vbZId3Ak4mBrOs5sHhZWiGyHWLMg3iZqFB7bGCEvc= "
                                          "v1,ca+IfXhdWd5TntuN7MtRavrT6wcv3poDHzJFVdqBtpE=")));
}

TEST(EndpointPlan, SendsNoSignatureWithoutASecret) {
  EXPECT_THAT(Build(Settings()).headers, Not(Contains(Key("webhook-signature"))));
}

TEST(EndpointPlan, SignsInGithubsWayWhenAsked) {
  config::EndpointSettings settings = Settings();
  settings.signature = config::SignatureScheme::kGithub;
  settings.secrets = {Secret("It's a Secret to Everybody")};
  const HttpCall call = Build(settings);
  EXPECT_THAT(call.headers,
              Contains(Pair("X-Hub-Signature-256",
                            "sha256=1348b60bfca277fc15bd45e9d73dc744cd17f76c11037b7378a3f0e6480cb0cf")));
  EXPECT_THAT(call.headers, Not(Contains(Key("webhook-signature"))));
  EXPECT_THAT(call.headers, Contains(Key("webhook-id")));
}

TEST(EndpointPlan, AuthenticatesByBearerByBasicOrByTheUrlsUserInfo) {
  config::EndpointSettings bearer = Settings();
  bearer.bearer_token = Secret("tok");
  EXPECT_THAT(Build(bearer).headers, Contains(Pair("Authorization", "Bearer tok")));
  config::EndpointSettings basic = Settings();
  basic.basic_user = "Aladdin";
  basic.basic_password = Secret("open sesame");
  EXPECT_THAT(Build(basic).headers, Contains(Pair("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")));
  config::EndpointSettings in_url = Settings();
  in_url.url = ParseUrl("https://Aladdin:open%20sesame@hooks.example.com/").value();
  const HttpCall call = Build(in_url);
  EXPECT_THAT(call.headers, Contains(Pair("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")));
  EXPECT_EQ(call.target->url.Reveal(), "https://hooks.example.com/");
}

TEST(EndpointPlan, AddsTheConfiguredHeaders) {
  config::EndpointSettings settings = Settings();
  settings.headers = {{"X-Api-Key", Secret("k")}};
  EXPECT_THAT(Build(settings).headers, Contains(Pair("X-Api-Key", "k")));
}

TEST(EndpointPlan, AConfiguredUserAgentTakesThePlaceOfOurs) {
  config::EndpointSettings settings = Settings();
  settings.headers = {{"user-agent", Secret("portal/1")}};
  const HttpCall call = Build(settings);
  EXPECT_THAT(call.headers, Contains(Pair("user-agent", "portal/1")));
  EXPECT_THAT(call.headers, Not(Contains(Key("User-Agent"))));
}

TEST(EndpointPlan, RefusesAnIdThatWouldBreakOutOfItsHeader) {
  const auto plan = TryMake(Settings());
  for (const char* id : {"", "evt_1\r\nX-Other: 1", "evt.1", "evt 1", "evt_\x7f"})
    EXPECT_FALSE(plan->Build(1, id, SampleJson(), kTime1)) << id;
}

TEST(EndpointPlan, ShapesTheBodyAndSignsWhatIsSent) {
  config::EndpointSettings settings = Settings();
  settings.secrets = {Secret(kKey1)};
  settings.transform = config::JqText{"{text: (.data.user + \" asks\")}", "conf:3: transform"};
  const HttpCall call = Build(settings);
  EXPECT_EQ(call.body, "{\"text\":\"alice asks\"}");
  const auto key = crypto::WebhookKey::ForSigning(kKey1, crypto::WebhookScheme::kStandard);
  EXPECT_THAT(call.headers, Contains(Pair("webhook-signature",
                                          crypto::SignStandard({&*key, 1}, kId1, 1'614'265'330, call.body))));
}

TEST(EndpointPlan, ReportsProgramsThatFailOnTheEvent) {
  config::EndpointSettings transform = Settings();
  transform.transform = config::JqText{".data.user.name", "conf:3: transform"};
  const auto failed = TryMake(transform)->Build(1, kId1, SampleJson(), kTime1);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("conf:3: transform: jq: "));
}

TEST(EndpointPlan, DoesNotFilterAgain) {
  // The decision was made at commit; a changed filter must not lose what was promised.
  for (const char* changed : {"false", ".data.user.name"}) {
    config::EndpointSettings settings = Settings();
    settings.when = config::JqText{changed, "conf:4: when"};
    EXPECT_EQ(Build(settings).body.size(), 231U);
  }
}

TEST(EndpointPlan, RefusesABadSecretWithTheEndpointsNameAndWithoutTheSecret) {
  config::EndpointSettings settings = Settings();
  settings.name = "portal";
  settings.secrets = {Secret("whsec_tooshort")};
  const auto plan = TryMake(settings);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(plan.error().message, HasSubstr("endpoint portal"));
  EXPECT_THAT(plan.error().message + plan.error().hint, Not(HasSubstr("tooshort")));
}

TEST(EndpointPlan, RefusesToSendInTheClearToAnotherMachine) {
  config::EndpointSettings settings = Settings();
  settings.url = ParseUrl("http://hooks.example.com/secret").value();
  const auto plan = TryMake(settings);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(plan.error().message, Not(HasSubstr("secret")));
  settings.allow_http = true;
  EXPECT_TRUE(TryMake(settings));
  settings.allow_http = false;
  for (const char* url : {"http://127.0.0.1:8080/", "http://localhost/", "http://[::1]:9/"}) {
    settings.url = ParseUrl(url).value();
    EXPECT_TRUE(TryMake(settings)) << url;
  }
}

TEST(EndpointPlan, KeepsLoopbackReceiversAwayFromTheEnvironmentsProxy) {
  config::EndpointSettings settings = Settings();
  EXPECT_FALSE(Build(settings).target->direct);
  settings.url = ParseUrl("http://127.0.0.1:8080/").value();
  EXPECT_TRUE(Build(settings).target->direct);
  settings.proxy_url = "http://proxy.example.com:3128";
  EXPECT_FALSE(Build(settings).target->direct);
}

}  // namespace
}  // namespace tw::webhook
