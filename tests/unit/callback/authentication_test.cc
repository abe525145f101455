#include "unit/callback/handler_harness.h"

namespace tw::callback {
namespace {

using access::RequestState;

class AuthenticationTest : public HandlerTest {
 protected:
  int Status(HeaderList headers, const std::string& body = {},
             std::optional<ClientCertificate> certificate = std::nullopt) {
    HttpRequest request = Request("POST", "/v1/requests/req-1/approve", body, std::move(headers));
    request.client_certificate = std::move(certificate);
    return Send(request).status;
  }
  config::CallerSettings Caller(const std::string& name) {
    config::CallerSettings out;
    out.name = name;
    return out;
  }
  const std::string bound = R"({"request_id":"req-1","decision":"approve"})";
};

TEST_F(AuthenticationTest, RefusesEveryWrongCredentialWithOneText) {
  http.bearer_token = Secret("token-0123456789abcdef");
  std::string text;
  for (const HeaderList& headers :
       {HeaderList{}, HeaderList{Basic("portal", "wrong")},
        HeaderList{Basic("nobody", "correct horse battery")}, HeaderList{Basic("", "")},
        HeaderList{Basic("portal", "")}, HeaderList{Bearer("wrong")}, HeaderList{Bearer("")},
        HeaderList{{"Authorization", "Basic"}}, HeaderList{{"Authorization", "Basic !!!"}},
        HeaderList{{"Authorization", ""}},
        HeaderList{Basic("portal", "correct horse battery"), Basic("portal", "correct horse battery")},
        HeaderList{{"Authorization", "Digest username=portal"}}}) {
    const HttpResponse answer = Send(Request("POST", "/v1/requests/req-1/approve", {}, headers));
    EXPECT_EQ(answer.status, 401);
    if (text.empty()) text = answer.body;
    EXPECT_EQ(answer.body, text);
    EXPECT_TRUE(HeaderOf(answer, "WWW-Authenticate").starts_with("Basic realm="));
  }
  EXPECT_TRUE(teleport.state_changes().empty());
}

TEST_F(AuthenticationTest, TheLogSaysWhyACredentialWasRefusedAndTheAnswerDoesNot) {
  http.bearer_token = Secret("token-0123456789abcdef");
  http.client_ca_file = "ca.pem";
  http.allowed_names = {"carol"};
  callback.secret = Secret(std::string(kSecret));
  config::CallerSettings zapier = Caller("zapier");
  zapier.hmac_secret = Secret(std::string(kOtherSecret));
  callback.callers = {zapier};
  const auto why = [&](HeaderList headers, const std::string& body = {},
                       std::optional<ClientCertificate> certificate = std::nullopt) {
    clock.Advance(std::chrono::minutes(1));  // only so many refusals of strangers are told in a minute
    EXPECT_EQ(Status(std::move(headers), body, std::move(certificate)), 401);
    const std::string line = log.lines().back();
    return line.substr(line.find(" why=") + 5);
  };
  EXPECT_EQ(why({}), "no credential of a configured kind came along");
  EXPECT_EQ(why({Basic("portal", "wrong")}), "user and password fit none that are configured");
  EXPECT_EQ(why({Bearer("wrong")}), "the bearer token fits none that is configured");
  EXPECT_EQ(why({Bearer("a"), Bearer("a")}), "Authorization came more than once");
  EXPECT_EQ(why({}, {}, ClientCertificate{"mallory", {}}),
            "the client certificate bears no name that is allowed");
  for (const std::string_view secret : {kSecret, kOtherSecret}) {
    clock.Advance(std::chrono::minutes(1));
    EXPECT_EQ(why(Signed("msg_1", bound, secret, std::chrono::seconds(-301)), bound),
              "the timestamp is too old");
    EXPECT_EQ(why(Signed("msg_1", bound, secret, std::chrono::seconds(400)), bound),
              "the timestamp lies in the future");
    EXPECT_EQ(why(Signed("msg_1", "{}", secret, std::chrono::seconds(60)), "{}"),
              "what is signed does not name request_id and decision of the path");
    EXPECT_EQ(why(Signed("msg_1", "{}", secret), bound), "the signature fits none of the secrets");
  }
}

TEST_F(AuthenticationTest, TakesAnyOfTheConfiguredMethods) {
  http.bearer_token = Secret("token-0123456789abcdef");
  EXPECT_EQ(Status({Bearer("token-0123456789abcdef")}), 200);
  EXPECT_EQ(Status({Basic("portal", "correct horse battery")}), 200);
  EXPECT_EQ(Status({{"authorization", "bEARER   token-0123456789abcdef "}}), 200);
}

TEST_F(AuthenticationTest, DemandsAllMethodsWhenToldSo) {
  callback.secret = Secret(std::string(kSecret));
  http.require = config::RequireAuth::kAll;
  HeaderList both = Signed("msg_1", bound);
  both.push_back(kJsonType);
  EXPECT_EQ(Status(both, bound), 401);
  both.push_back(Basic("portal", "correct horse battery"));
  EXPECT_EQ(Status({Basic("portal", "correct horse battery")}), 401);
  EXPECT_EQ(Status(both, bound), 200);
}

TEST_F(AuthenticationTest, AWrongCredentialBesideARightOneIsRefused) {
  callback.secret = Secret(std::string(kSecret));
  HeaderList headers = Signed("msg_1", bound, kOtherSecret);
  headers.push_back(kJsonType);
  headers.push_back(Basic("portal", "correct horse battery"));
  EXPECT_EQ(Status(headers, bound), 401);
}

TEST_F(AuthenticationTest, ASignatureCountsOnlyForABodyThatNamesRequestAndDecision) {
  OnlySignatures();
  for (const std::string body :
       {R"({})", R"({"request_id":"req-1"})", R"({"decision":"approve"})",
        R"({"request_id":"req-1","decision":"deny"})", R"({"request_id":"req-2","decision":"approve"})",
        R"({"request_id":"req-1","decision":"approve","decision":"approve"})", R"(not json)"}) {
    HeaderList headers = Signed("msg_" + std::to_string(body.size()), body);
    headers.push_back(kJsonType);
    EXPECT_EQ(Status(headers, body), 401) << body;
  }
  EXPECT_TRUE(teleport.state_changes().empty());
  HeaderList headers = Signed("msg_ok", bound);
  headers.push_back(kJsonType);
  EXPECT_EQ(Status(headers, bound), 200);
}

TEST_F(AuthenticationTest, ASignatureOpensNoReading) {
  OnlySignatures();
  EXPECT_EQ(Send(Request("GET", "/v1/requests/req-1", {}, Signed("msg_1", ""))).status, 401);
}

TEST_F(AuthenticationTest, ASignedLegacyBodyDecides) {
  OnlySignatures();
  const std::string body = LegacyBody("req-1", "Approved");
  EXPECT_EQ(Send(Request("POST", "/", body, Signed("msg_1", body))).status, 200);
  EXPECT_EQ(StateOf("req-1"), RequestState::kApproved);
}

TEST_F(AuthenticationTest, SignaturesLiveFiveMinutesBothWays) {
  OnlySignatures();
  const std::string body = LegacyBody("req-1", "Approved");
  const auto status = [&](int skew) {
    return Send(Request(
                    "POST", "/", body,
                    Signed("msg_" + std::to_string(skew + 1000), body, kSecret, std::chrono::seconds(skew))))
        .status;
  };
  EXPECT_EQ(status(-301), 401);
  EXPECT_EQ(status(302), 401);
  EXPECT_EQ(status(-300), 200);
  EXPECT_EQ(status(300), 200);
}

TEST_F(AuthenticationTest, GithubsSchemeMustBeChosenAndNeedsHttps) {
  OnlySignatures();
  const std::string secret = "a github secret of good length";
  const std::string body = LegacyBody("req-1", "Approved");
  const auto key = crypto::WebhookKey::ForSigning(secret, crypto::WebhookScheme::kGithub);
  const HeaderList headers{{"X-Hub-Signature-256", crypto::SignGithub(*key, body)}};
  EXPECT_EQ(Send(Request("POST", "/", body, headers)).status, 401);
  callback.signature = config::SignatureScheme::kGithub;
  callback.secret = Secret(secret);
  handler.reset();
  HttpRequest plain = Request("POST", "/", body, headers);
  plain.tls = false;
  EXPECT_EQ(Send(plain).status, 401);
  EXPECT_EQ(Send(Request("POST", "/", body, headers)).status, 200);
}

TEST_F(AuthenticationTest, ACertificateCountsByItsNames) {
  http.basic_user.clear();
  http.client_ca_file = "ca.pem";
  http.allowed_names = {"*.callers.example.com", "carol"};
  EXPECT_EQ(Status({}), 401);
  EXPECT_EQ(Status({}, {}, ClientCertificate{"mallory", {"mallory.example.com"}}), 401);
  EXPECT_EQ(Status({}, {}, ClientCertificate{"x", {"a.callers.example.com"}}), 200);
  EXPECT_EQ(Status({}, {}, ClientCertificate{"carol", {}}), 200);
  EXPECT_EQ(teleport.state_changes().front().delegator, "webhooks:x");
}

TEST_F(AuthenticationTest, ADemandedCertificateComesOnTopOfTheRest) {
  http.client_ca_file = "ca.pem";
  http.verify_client_cert = true;
  EXPECT_EQ(Status({Basic("portal", "correct horse battery")}), 401);
  EXPECT_EQ(Status({}, {}, ClientCertificate{"carol", {}}), 401);
  EXPECT_EQ(Status({Basic("portal", "correct horse battery")}, {}, ClientCertificate{"carol", {}}), 200);
}

TEST_F(AuthenticationTest, NamedCallersAreKnownByTheirOwnCredential) {
  http.basic_user.clear();
  callback.delegator = config::DelegatorSource::kAuth;
  config::CallerSettings zapier = Caller("zapier");
  zapier.bearer_token = Secret("zapier-token-0123456789");
  config::CallerSettings tickets = Caller("tickets");
  tickets.hmac_secret = Secret(std::string(kOtherSecret));
  config::CallerSettings robot = Caller("robot");
  robot.certificate_name = "robot.example.com";
  callback.callers = {zapier, tickets, robot};
  http.client_ca_file = "ca.pem";
  EXPECT_EQ(Status({Bearer("zapier-token-0123456789")}), 200);
  teleport.Create("req-2");
  const std::string body = LegacyBody("req-2", "Denied");
  EXPECT_EQ(Send(Request("POST", "/", body, Signed("m1", body, kOtherSecret))).status, 200);
  teleport.Create("req-1");
  EXPECT_EQ(Status({}, {}, ClientCertificate{"", {"robot.example.com"}}), 200);
  // Callers are named by certificate, so another one of the same CA is nobody.
  EXPECT_EQ(Status({}, {}, ClientCertificate{"other", {}}), 401);
  ASSERT_EQ(teleport.state_changes().size(), 3U);
  EXPECT_EQ(teleport.state_changes()[0].delegator, "webhooks:zapier");
  EXPECT_EQ(teleport.state_changes()[1].delegator, "webhooks:tickets");
  EXPECT_EQ(teleport.state_changes()[2].delegator, "webhooks:robot");
}

TEST_F(AuthenticationTest, TwoCallersAtOnceAreNobody) {
  http.basic_user.clear();
  config::CallerSettings zapier = Caller("zapier");
  zapier.bearer_token = Secret("zapier-token-0123456789");
  config::CallerSettings robot = Caller("robot");
  robot.certificate_name = "robot";
  callback.callers = {zapier, robot};
  http.client_ca_file = "ca.pem";
  EXPECT_EQ(Status({Bearer("zapier-token-0123456789")}, {}, ClientCertificate{"robot", {}}), 401);
}

TEST_F(AuthenticationTest, StartsOnlyWithAuthentication) {
  http.basic_user.clear();
  http.basic_password = Secret();
  EXPECT_TRUE(StartupProblem(http, callback));
  http.allow_unauthenticated = true;
  EXPECT_FALSE(StartupProblem(http, callback));
  EXPECT_EQ(Status({}), 200);
  EXPECT_EQ(teleport.state_changes().front().delegator, "webhooks:unauthenticated");
}

TEST_F(AuthenticationTest, RefusesSettingsThatNobodyCouldMeetOrThatAreNoSecret) {
  http.bearer_token = Secret("token-0123456789abcdef");
  http.require = config::RequireAuth::kAll;
  EXPECT_TRUE(StartupProblem(http, callback));
  http.require = config::RequireAuth::kAny;
  EXPECT_FALSE(StartupProblem(http, callback));
  callback.secret = Secret("my secret");
  const auto problem = StartupProblem(http, callback);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->message.find("my secret"), std::string::npos);
}

}  // namespace
}  // namespace tw::callback
