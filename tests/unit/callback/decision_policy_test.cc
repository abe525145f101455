#include "callback/policy.h"
#include "unit/callback/handler_harness.h"

namespace tw::callback {
namespace {

class DecisionPolicyTest : public HandlerTest {
 protected:
  int Approve(const std::string& body = {}) {
    return Post("/v1/requests/req-1/approve", body, {kJsonType}).status;
  }
};

TEST_F(DecisionPolicyTest, NobodyDecidesTheirOwnRequestUnderAnyDisguise) {
  for (const std::string name :
       {"alice", "ALICE", " alice ", "webhooks:alice", "webhooks:webhooks:Alice", "a l i c e",
        "\xef\xbd\x81\xef\xbd\x8c\xef\xbd\x89\xef\xbd\x83\xef\xbd\x85",  // full width
        "al\xe2\x80\x8bice",                                             // zero width space
        "\xf0\x9d\x90\x9a\xf0\x9d\x90\xa5\xf0\x9d\x90\xa2\xf0\x9d\x90\x9c\xf0\x9d\x90\x9e"}) {  // bold
    EXPECT_EQ(Post("/", LegacyBody("req-1", "Approved", name)).status, 403) << name;
    EXPECT_EQ(Post("/", LegacyBody("req-1", "Denied", name)).status, 403) << name;
  }
  EXPECT_TRUE(teleport.state_changes().empty());
  EXPECT_EQ(Post("/", LegacyBody("req-1", "Approved", "alicia")).status, 200);
}

TEST_F(DecisionPolicyTest, TheAuthenticatedNameCountsAsWellAsTheDelegator) {
  http.basic_user = "Alice";
  EXPECT_EQ(Send(Request("POST", "/", LegacyBody("req-1", "Approved", "carol"),
                         {Basic("Alice", "correct horse battery")}))
                .status,
            403);
  callback.deny_self_approval = false;
  handler.reset();
  EXPECT_EQ(Send(Request("POST", "/", LegacyBody("req-1", "Approved", "carol"),
                         {Basic("Alice", "correct horse battery")}))
                .status,
            200);
}

TEST_F(DecisionPolicyTest, EveryRequestedAndGrantedRoleMustMatch) {
  callback.roles = {"dev-*", "reader"};
  EXPECT_EQ(Approve(), 403);
  teleport.Create("req-1", "alice", {"dev-db", "reader"});
  EXPECT_EQ(Approve(R"({"roles":["admin"]})"), 403);
  EXPECT_EQ(Approve(R"({"roles":["dev-db"]})"), 200);
  teleport.Create("req-1", "alice", {"dev-db", "admin"});
  EXPECT_EQ(Approve(), 403);
}

TEST_F(DecisionPolicyTest, AnEmptyListOfRolesNeverGrantsThemAll) {
  EXPECT_EQ(Approve(R"({"roles":[]})"), 400);
  EXPECT_EQ(Approve(R"({"role":[]})"), 400);
  EXPECT_EQ(Approve(R"({"roles":""})"), 400);
  EXPECT_EQ(Approve(R"({"roles":" , "})"), 400);
  EXPECT_EQ(Approve(R"({"roles":["", " "]})"), 400);
  for (const char* const form : {"roles=", "role=&reason=x", "roles=%2C&role=+"}) {
    EXPECT_EQ(
        Post("/v1/requests/req-1/approve", form, {{"Content-Type", "application/x-www-form-urlencoded"}})
            .status,
        400)
        << form;
  }
  EXPECT_TRUE(teleport.state_changes().empty());
  teleport.Create("req-1", "alice", {"dba", "admin"});
  EXPECT_EQ(Approve(R"({"role":"dba","roles":["",null]})"), 400);
  EXPECT_EQ(Approve(R"({"role":"dba","roles":[""]})"), 200);
  ASSERT_EQ(teleport.state_changes().size(), 1U);
  EXPECT_EQ(teleport.state_changes()[0].roles, std::vector<std::string>{"dba"});
}

TEST_F(DecisionPolicyTest, FieldsInTheQueryAreRefusedAndNotPassedOver) {
  teleport.Create("req-1", "alice", {"dba", "admin"});
  for (const char* const query :
       {"?roles=dba", "?x=1&role=dba", "?%72oles=dba#f", "?reason", "?annotations.a=b", "?request_id=req-2",
        "?decision=deny", "?delegator=x"}) {
    EXPECT_EQ(Post(std::string("/v1/requests/req-1/approve") + query).status, 400) << query;
  }
  EXPECT_TRUE(teleport.state_changes().empty());
  EXPECT_EQ(Post("/v1/requests/req-1/approve?code=1&#roles=dba").status, 200);
}

TEST_F(DecisionPolicyTest, OnlyListedUsersRequestsAreDecidedAndShown) {
  callback.users = {"b*"};
  EXPECT_EQ(Approve(), 403);
  EXPECT_EQ(Send(Request("GET", "/v1/requests/req-1", {}, {Basic("portal", "correct horse battery")})).status,
            403);
  teleport.Create("req-1", "bob");
  EXPECT_EQ(Send(Request("GET", "/v1/requests/req-1", {}, {Basic("portal", "correct horse battery")})).status,
            200);
  EXPECT_EQ(Approve(), 200);
}

TEST_F(DecisionPolicyTest, ACallersOwnListsNarrowTheGeneralOnesAndNeverWidenThem) {
  callback.roles = {"reader", "dba"};
  config::CallerSettings zapier;
  zapier.name = "zapier";
  zapier.bearer_token = Secret("zapier-token-0123456789");
  zapier.roles = {"dba"};
  zapier.decisions = {"deny"};
  callback.callers = {zapier};
  const auto zapier_says = [&](const std::string& decision) {
    return Send(Request("POST", "/v1/requests/req-1/" + decision, {}, {Bearer("zapier-token-0123456789")}))
        .status;
  };
  EXPECT_EQ(zapier_says("approve"), 403);
  teleport.Create("req-1", "alice", {"reader"});
  EXPECT_EQ(zapier_says("deny"), 403);
  teleport.Create("req-1", "alice", {"dba"});
  callback.roles = {"reader"};
  handler.reset();
  EXPECT_EQ(zapier_says("deny"), 403);
  callback.roles = {"reader", "dba"};
  handler.reset();
  EXPECT_EQ(zapier_says("deny"), 200);
}

TEST_F(DecisionPolicyTest, AReasonCanBeDemanded) {
  callback.require_reason = true;
  EXPECT_EQ(Approve(), 400);
  EXPECT_EQ(Post("/", LegacyBody("req-1", "Approved")).status, 400);
  EXPECT_EQ(Approve(R"({"reason":"  \u200b\n"})"), 400);
  EXPECT_EQ(Approve(R"({"reason":"\u2800\ud834\udd73\ufffb"})"), 400);
  EXPECT_EQ(Approve(R"({"reason":"on call"})"), 200);
}

TEST_F(DecisionPolicyTest, ReviewsTakeNeitherRolesNorAnnotations) {
  callback.mode = config::CallbackMode::kReview;
  EXPECT_EQ(Approve(R"({"roles":["dba"]})"), 400);
  EXPECT_EQ(Approve(R"({"annotations":{"a":"b"}})"), 400);
  EXPECT_EQ(teleport.calls("SubmitReview"), 0);
  EXPECT_EQ(Approve(), 200);
  EXPECT_EQ(teleport.calls("SubmitReview"), 1);
}

TEST_F(DecisionPolicyTest, TheDelegatorComesFromWhereTheConfigurationSays) {
  EXPECT_EQ(Approve(R"({"delegator":"dave"})"), 200);
  callback.delegator = config::DelegatorSource::kAuth;
  handler.reset();
  teleport.Create("req-1");
  EXPECT_EQ(Approve(R"({"delegator":"dave"})"), 200);
  callback.delegator = config::DelegatorSource::kFixed;
  callback.fixed_delegator = "bot";
  handler.reset();
  teleport.Create("req-1");
  EXPECT_EQ(Approve(R"({"delegator":"dave"})"), 200);
  ASSERT_EQ(teleport.state_changes().size(), 3U);
  EXPECT_EQ(teleport.state_changes()[0].delegator, "webhooks:dave");
  EXPECT_EQ(teleport.state_changes()[1].delegator, "webhooks:portal");
  EXPECT_EQ(teleport.state_changes()[2].delegator, "webhooks:bot");
}

TEST_F(DecisionPolicyTest, ADelegatorIsShortAndPrintable) {
  EXPECT_EQ(Approve(R"({"delegator":"a\u0007b"})"), 400);
  EXPECT_EQ(Approve(R"({"delegator":"a\nb"})"), 400);
  EXPECT_EQ(Approve(R"({"delegator":"\u202eevil"})"), 400);
  EXPECT_EQ(Approve(R"({"delegator":" \u200b"})"), 400);
  EXPECT_EQ(Approve(R"({"delegator":"webhooks:"})"), 400);
  EXPECT_EQ(Approve(R"({"delegator":")" + std::string(129, 'x') + R"("})"), 400);
  std::string wide;
  for (int i = 0; i < 128; ++i) wide += "\xc3\xa9";
  EXPECT_EQ(Approve(R"({"delegator":")" + wide + R"("})"), 200);
}

TEST_F(DecisionPolicyTest, TrustsForwardedAddressesOnlyFromKnownProxies) {
  HttpRequest request =
      Request("POST", "/v1/requests/req-1/approve", {},
              {Basic("portal", "correct horse battery"), {"X-Forwarded-For", "203.0.113.9, 10.1.1.1"}});
  Send(request);
  EXPECT_EQ(audit.records.back().client, "192.0.2.7");
  http.trusted_proxies = {"192.0.2.7", "10.0.0.0/8"};
  handler.reset();
  Send(request);
  EXPECT_EQ(audit.records.back().client, "203.0.113.9");
  for (const char* with_port : {"203.0.113.9:4711, 10.1.1.1", "203.0.113.9,[::ffff:10.1.1.1]:80"}) {
    request.headers.back().second = with_port;
    Send(request);
    EXPECT_EQ(audit.records.back().client, "203.0.113.9");
  }
  request.headers.back().second = "evil, 10.1.1.1";
  Send(request);
  EXPECT_EQ(audit.records.back().client, "10.1.1.1");
}

}  // namespace
}  // namespace tw::callback
