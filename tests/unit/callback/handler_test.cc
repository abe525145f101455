#include "unit/callback/handler_harness.h"

namespace tw::callback {
namespace {

using access::RequestState;

TEST_F(HandlerTest, ApprovesByTheOriginalsBodyAndAnswers200WithoutABody) {
  const HttpResponse answer = Post("/", LegacyBody("req-1", "Approved"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(StateOf("req-1"), RequestState::kApproved);
  EXPECT_EQ(teleport.state_changes().front().delegator, "webhooks:carol");
}

TEST_F(HandlerTest, DeniesByPathAndTellsTheStateInJson) {
  const HttpResponse answer = Post("/v1/requests/req-1/deny", R"({"reason":"not today"})", {kJsonType});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "{\"request_id\":\"req-1\",\"state\":\"DENIED\",\"changed\":true}\n");
  EXPECT_EQ(teleport.state_changes().front().reason, "not today");
  EXPECT_EQ(teleport.state_changes().front().delegator, "webhooks:portal");
}

TEST_F(HandlerTest, PassesEveryFieldOfABodyOn) {
  Post(
      "/v1/requests/req-1/approve",
      R"({"reason":"ok","delegator":"dave","roles":["dba"],"annotations":{"ticket":["T-1"],"team":"db"},"assume_start_time":"2026-11-22T10:00:00Z"})",
      {kJsonType});
  ASSERT_EQ(teleport.state_changes().size(), 1U);
  const access::StateChange change = teleport.state_changes().front();
  EXPECT_EQ(change.delegator, "webhooks:dave");
  EXPECT_EQ(change.roles, std::vector<std::string>{"dba"});
  EXPECT_EQ(change.annotations, (access::Annotations{{"team", {"db"}}, {"ticket", {"T-1"}}}));
  EXPECT_TRUE(change.assume_start_time.has_value());
}

TEST_F(HandlerTest, TheSameDecisionAgainIsASuccessAndTheOppositeAConflict) {
  EXPECT_EQ(Post("/v1/requests/req-1/approve").status, 200);
  const HttpResponse again = Post("/v1/requests/req-1/approve");
  EXPECT_EQ(again.status, 200);
  EXPECT_NE(again.body.find("\"changed\":false"), std::string::npos);
  const HttpResponse opposite = Post("/v1/requests/req-1/deny");
  EXPECT_EQ(opposite.status, 409);
  EXPECT_NE(opposite.body.find("\"code\":\"conflict\""), std::string::npos);
  EXPECT_EQ(Post("/", LegacyBody("req-1", "Denied")).status, 409);
}

TEST_F(HandlerTest, NeverActsOnAnEmptyOrMissingId) {
  for (const std::string body :
       {R"({"payload":{"State":"Approved"}})", R"({"payload":{"ReqID":"","State":"Approved"}})",
        R"({"payload":{"ReqID":null,"State":"Approved"}})", R"({"payload":{}})", R"({})", "null",
        R"({"payload":null})"}) {
    EXPECT_EQ(Post("/", body).status, 400) << body;
  }
  EXPECT_EQ(Post("/v1/requests//approve").status, 400);
  EXPECT_EQ(Post("/v1/requests/%00/approve").status, 400);
  EXPECT_EQ(Post("/v1/requests/a%2Fb/approve").status, 400);
  EXPECT_TRUE(teleport.state_changes().empty());
  EXPECT_EQ(teleport.calls("Get"), 0);
}

TEST_F(HandlerTest, RefusesEveryStateButApprovedAndDenied) {
  for (const std::string state : {"Pending", "PROMOTED", "", "Approve", "2", "Approved "}) {
    EXPECT_EQ(Post("/", LegacyBody("req-1", state)).status, 400) << state;
  }
  EXPECT_EQ(Post("/", LegacyBody("req-1", "aPPROVED")).status, 200);
}

TEST_F(HandlerTest, TellsUnknownRequestsFromUnknownRoutesAndMethods) {
  EXPECT_EQ(Post("/v1/requests/none/approve").status, 404);
  EXPECT_NE(Post("/v1/requests/none/approve").body.find("may not list it"), std::string::npos);
  EXPECT_EQ(Post("/v2").status, 404);
  EXPECT_EQ(Post("/v1/requests/req-1/promote").status, 404);
  const HttpResponse get = Send(Request("GET", "/"));
  EXPECT_EQ(get.status, 405);
  EXPECT_EQ(HeaderOf(get, "Allow"), "POST");
  EXPECT_EQ(HeaderOf(Post("/v1/requests/req-1"), "Allow"), "GET, HEAD");
}

TEST_F(HandlerTest, TakesFormsAndRefusesOtherTypes) {
  const HttpResponse form =
      Post("/v1/requests/req-1/approve", "reason=on+call%21&delegator=erin&roles=dba,admin&annotations.a=1",
           {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}});
  EXPECT_EQ(form.status, 200);
  const access::StateChange change = teleport.state_changes().front();
  EXPECT_EQ(change.reason, "on call!");
  EXPECT_EQ(change.roles, (std::vector<std::string>{"dba", "admin"}));
  EXPECT_EQ(Post("/v1/requests/req-1/approve", "<x/>", {{"Content-Type", "text/xml"}}).status, 415);
  EXPECT_EQ(Post("/v1/requests/req-1/approve", "{}").status, 415);
  EXPECT_EQ(Post("/v1/requests/req-1/approve", "", {{"Content-Type", "text/plain"}}).status, 200);
}

TEST_F(HandlerTest, RefusesABodyThatContradictsThePath) {
  EXPECT_EQ(Post("/v1/requests/req-1/approve", R"({"request_id":"req-2"})", {kJsonType}).status, 400);
  EXPECT_EQ(Post("/v1/requests/req-1/approve", R"({"decision":"deny"})", {kJsonType}).status, 400);
  EXPECT_TRUE(teleport.state_changes().empty());
}

TEST_F(HandlerTest, ShowsARequestOnlyToTheAuthenticated) {
  EXPECT_EQ(Send(Request("GET", "/v1/requests/req-1")).status, 401);
  const HttpResponse shown =
      Send(Request("GET", "/v1/requests/req-1", {}, {Basic("portal", "correct horse battery")}));
  EXPECT_EQ(shown.status, 200);
  EXPECT_NE(shown.body.find("\"user\":\"alice\""), std::string::npos);
  EXPECT_NE(shown.body.find("https://proxy.example.com/web/requests/req-1"), std::string::npos);
}

TEST_F(HandlerTest, TellsItsStatusToEverybody) {
  const HttpResponse status = Send(Request("GET", "/status"));
  EXPECT_EQ(status.status, 200);
  EXPECT_EQ(status.body, "{\"status\":\"ok\"}\n");
  EXPECT_EQ(Send(Request("HEAD", "/status")).status, 200);
}

TEST_F(HandlerTest, Answers503BeforeTeleportWasReachedAndWhileDraining) {
  ready = false;
  EXPECT_EQ(Post("/v1/requests/req-1/approve").status, 503);
  ready = true;
  Handler().Drain();
  EXPECT_EQ(Post("/v1/requests/req-1/approve").status, 503);
  EXPECT_TRUE(teleport.state_changes().empty());
}

TEST_F(HandlerTest, MapsTroubleWithTeleportWithoutTellingItsWords) {
  const auto status_of = [&](ErrorKind kind, bool retryable = false) {
    teleport.FailNext("Get", {kind, "auth.internal:3025 says role plugin lacks update", "", retryable});
    const HttpResponse answer = Post("/v1/requests/req-1/approve");
    EXPECT_EQ(answer.body.find("auth.internal"), std::string::npos);
    return answer.status;
  };
  EXPECT_EQ(status_of(ErrorKind::kCredentials), 502);
  EXPECT_EQ(status_of(ErrorKind::kUnreachable), 503);
  EXPECT_EQ(status_of(ErrorKind::kTimeout), 504);
  EXPECT_EQ(status_of(ErrorKind::kFailure), 502);
  EXPECT_EQ(status_of(ErrorKind::kConflict, true), 503);  // others wrote at that moment: not final
  EXPECT_TRUE(log.Said("lacks update"));
}

TEST_F(HandlerTest, EveryAnswerForbidsCachingAndSniffing) {
  for (const HttpResponse& answer :
       {Post("/v1/requests/req-1/approve"), Post("/"), Post("/nowhere"), Send(Request("GET", "/status")),
        Send(Request("POST", "/")), Handler().Refuse(Request("POST", "/"), 413, "too large")}) {
    EXPECT_EQ(HeaderOf(answer, "Cache-Control"), "no-store");
    EXPECT_EQ(HeaderOf(answer, "X-Content-Type-Options"), "nosniff");
  }
}

TEST_F(HandlerTest, RefusesBrowsersOfOtherSites) {
  const auto status = [&](HeaderList headers) {
    return Post("/v1/requests/req-1/approve", "", std::move(headers)).status;
  };
  EXPECT_EQ(status({{"Origin", "https://evil.example.com"}}), 403);
  EXPECT_EQ(status({{"Origin", "null"}}), 403);
  EXPECT_EQ(status({{"Origin", "https://hooks.example.com"}, {"Origin", "https://evil.example.com"}}), 403);
  EXPECT_EQ(status({{"Sec-Fetch-Site", "cross-site"}}), 403);
  EXPECT_EQ(status({{"Sec-Fetch-Site", "same-site"}}), 403);
  EXPECT_TRUE(teleport.state_changes().empty());
  EXPECT_EQ(status({{"Origin", "https://hooks.example.com:443"}, {"Sec-Fetch-Site", "same-origin"}}), 200);
}

TEST_F(HandlerTest, LimitsTheRateOfAClientAndSaysWhenToComeBack) {
  http.rate_limit = 2.0;
  EXPECT_EQ(Post("/v1/requests/req-1/approve").status, 200);
  EXPECT_EQ(Post("/v1/requests/req-1/approve").status, 200);
  const HttpResponse refused = Post("/v1/requests/req-1/approve");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(HeaderOf(refused, "Retry-After"), "1");
  clock.Advance(std::chrono::seconds(1));
  EXPECT_EQ(Post("/v1/requests/req-1/approve").status, 200);
}

TEST_F(HandlerTest, CountsResultsForMetrics) {
  Post("/v1/requests/req-1/approve");
  Post("/v1/requests/req-1/approve");
  Post("/v1/requests/req-1/deny");
  Send(Request("POST", "/"));
  EXPECT_EQ(observer.counts, (std::map<std::string, int>{
                                 {"approved", 1}, {"conflict", 1}, {"unauthorized", 1}, {"unchanged", 1}}));
}

TEST_F(HandlerTest, WritesEachAttemptToTheAuditTrail) {
  Post("/", LegacyBody("req-1", "Approved", "dave"));
  Send(Request("POST", "/v1/requests/req-1/deny"));
  ASSERT_EQ(audit.records.size(), 2U);
  EXPECT_EQ(audit.records[0].caller, "portal");
  EXPECT_EQ(audit.records[0].client, "192.0.2.7");
  EXPECT_EQ(audit.records[0].delegator, "webhooks:dave");
  EXPECT_EQ(audit.records[0].decision, "approve");
  EXPECT_EQ(audit.records[0].result, "approved");
  EXPECT_EQ(audit.records[1].caller, "");
  EXPECT_EQ(audit.records[1].result, "unauthorized");
}

TEST_F(HandlerTest, DoesNotLetStrangersFillTheAuditTrail) {
  for (int i = 0; i < 1000; ++i) Send(Request("POST", "/v1/requests/req-1/deny"));
  EXPECT_EQ(audit.records.size(), AttemptLog::kStrangersPerMinute);
  clock.Advance(std::chrono::minutes(1));
  Send(Request("POST", "/v1/requests/req-1/deny"));
  EXPECT_EQ(audit.records.back().suppressed, 1000 - AttemptLog::kStrangersPerMinute);
}

TEST_F(HandlerTest, CountsTheStrangersWhoWereLeftOutWithTheNextLineWhoeverItIsOf) {
  for (int i = 0; i < 25; ++i) Send(Request("POST", "/v1/requests/req-1/deny"));
  Post("/v1/requests/req-1/approve");
  EXPECT_EQ(audit.records.back().caller, "portal");
  EXPECT_EQ(audit.records.back().suppressed, 25 - AttemptLog::kStrangersPerMinute);
  EXPECT_TRUE(log.Said("result=approved not_told_before=15"));
  Post("/v1/requests/req-1/approve");
  EXPECT_EQ(audit.records.back().suppressed, 0U);
}

TEST_F(HandlerTest, TellsTheLogOfRefusedLooksAndOfWhatCouldNotBeRead) {
  Send(Request("GET", "/v1/requests/req-1?token=hidden", {}, {Basic("portal", "wrong")}));
  EXPECT_TRUE(
      log.Said("warn request refused caller= client=192.0.2.7 method=GET path=/v1/requests/req-1 status=401 "
               "why=user and password fit none that are configured"));
  EXPECT_FALSE(log.Said("hidden"));
  Handler().Refuse(Request("POST", "/v1/requests/req-1/approve"), 413, "too large");
  EXPECT_TRUE(log.Said("method=POST path=/v1/requests/req-1/approve status=413 why=too large"));
  EXPECT_TRUE(audit.records.empty());
  Send(Request("GET", "/v1/requests/req-1", {}, {Basic("portal", "correct horse battery")}));
  EXPECT_EQ(log.lines().size(), 2U);
}

TEST_F(HandlerTest, DoesNotLetRefusedLooksFillTheLog) {
  for (int i = 0; i < 1000; ++i) Send(Request("GET", "/v1/requests/req-1"));
  EXPECT_EQ(log.lines().size(), AttemptLog::kStrangersPerMinute);
  Send(Request("POST", "/v1/requests/req-1/deny"));
  EXPECT_EQ(audit.records.size(), 1U);  // an attempt to decide is written all the same
  clock.Advance(std::chrono::minutes(1));
  Send(Request("GET", "/v1/requests/req-1"));
  EXPECT_TRUE(log.Said("not_told_before=990"));
}

TEST_F(HandlerTest, DecidesNothingThatItCannotAudit) {
  audit.broken = true;
  EXPECT_EQ(Post("/v1/requests/req-1/approve").status, 503);
  EXPECT_TRUE(teleport.state_changes().empty());
}

TEST_F(HandlerTest, KeepsTheOldSettingsWhenNewOnesAreUnsafe) {
  Handler();
  config::HttpSettings open = http;
  open.basic_user.clear();
  open.basic_password = Secret();
  EXPECT_FALSE(Handler().Reload(open, callback));
  EXPECT_EQ(Send(Request("POST", "/v1/requests/req-1/approve")).status, 401);
  config::HttpSettings next = http;
  next.basic_password = Secret("another password");
  ASSERT_TRUE(Handler().Reload(next, callback));
  EXPECT_EQ(Post("/v1/requests/req-1/approve").status, 401);
}

}  // namespace
}  // namespace tw::callback
