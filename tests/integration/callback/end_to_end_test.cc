#include <thread>

#include "crypto/webhook_signature.h"
#include "integration/callback/end_to_end_harness.h"

namespace tw::callback {
namespace {

using access::RequestState;
using fakes::HttpClient;
using fakes::TlsClient;

TEST_F(EndToEndTest, ApprovesOverTlsWithThePairMadeAtFirstStart) {
  Start(true);
  HttpClient client(address, TlsClient{});
  const auto denied =
      client.Do("POST", "/", {}, R"({"payload":{"ReqID":"req-1","State":"Approved","Delegator":"carol"}})");
  ASSERT_TRUE(denied);
  EXPECT_EQ(denied->status, 401);
  EXPECT_TRUE(denied->Find("www-authenticate")->starts_with("Basic"));
  const auto done = client.Do("POST", "/", {basic},
                              R"({"payload":{"ReqID":"req-1","State":"Approved","Delegator":"carol"}})");
  ASSERT_TRUE(done);
  EXPECT_EQ(done->status, 200);
  EXPECT_EQ(done->body, "");
  EXPECT_EQ(teleport.Find("req-1")->state, RequestState::kApproved);
  const auto shown = client.Do("GET", "/v1/requests/req-1", {basic});
  EXPECT_NE(shown->body.find("\"state\":\"APPROVED\""), std::string::npos);
  EXPECT_EQ(shown->Find("content-type"), "application/json");
}

TEST_F(EndToEndTest, TakesASignatureOverTheBytesOnTheWire) {
  Start(false);
  const std::string body = "{ \"request_id\":\"req-1\",\n\t\"decision\":\"deny\" }";
  const auto key = crypto::WebhookKey::ForSigning(callback.secret.Reveal(), crypto::WebhookScheme::kStandard);
  const std::int64_t now = std::chrono::floor<std::chrono::seconds>(clock.Now()).time_since_epoch().count();
  const std::vector<std::pair<std::string, std::string>> headers{
      {"Content-Type", "application/json"},
      {"Webhook-Id", "msg_1"},
      {"Webhook-Timestamp", std::to_string(now)},
      {"Webhook-Signature", crypto::SignStandard({&*key, 1}, "msg_1", now, body)}};
  HttpClient client(address);
  EXPECT_EQ(client.Do("POST", "/v1/requests/req-1/deny", headers, body + " ")->status, 401);
  EXPECT_EQ(client.Do("POST", "/v1/requests/req-1/deny", headers, body)->status, 200);
  EXPECT_EQ(teleport.Find("req-1")->state, RequestState::kDenied);
}

TEST_F(EndToEndTest, AnswersTheListenersOwnRefusalsInTheSameShape) {
  Start(false);
  HttpClient client(address);
  const auto large = client.Do("POST", "/", {basic}, std::string(70'000, 'x'));
  ASSERT_TRUE(large);
  EXPECT_EQ(large->status, 413);
  EXPECT_NE(large->body.find("\"code\":\"too_large\""), std::string::npos);
}

TEST_F(EndToEndTest, DecidesManyAtOnceAndAuditsEachInOneChain) {
  constexpr int kThreads = 8;
  constexpr int kEach = 25;
  for (int i = 0; i < kThreads * kEach; ++i) teleport.Create("r" + std::to_string(i));
  Start(false);
  std::atomic<int> decided{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        HttpClient client(address);
        for (int i = 0; i < kEach; ++i) {
          const auto reply =
              client.Do("POST", "/v1/requests/r" + std::to_string(t * kEach + i) + "/approve", {basic});
          if (reply && reply->status == 200 && reply->body.find("\"changed\":true") != std::string::npos)
            ++decided;
        }
      });
    }
  }
  EXPECT_EQ(decided, kThreads * kEach);
  const auto report = VerifyAudit(directory / "audit.log");
  EXPECT_TRUE(report->whole) << report->problem;
  EXPECT_EQ(report->lines, static_cast<std::uint64_t>(kThreads * kEach));
}

}  // namespace
}  // namespace tw::callback
