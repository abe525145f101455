// The request bin: signatures, misbehaviour, and what it shows.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/random.h"
#include "base/unique_fd.h"
#include "fakes/fake_clock.h"
#include "receive/page.h"
#include "receive/receiver.h"

namespace tw::sandbox {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ReceiverTest : public ::testing::Test {
 protected:
  Receiver Make(Misbehaviour misbehaviour = {}, const std::string& secret = {}) {
    std::vector<crypto::WebhookKey> keys;
    if (!secret.empty())
      keys.push_back(*crypto::WebhookKey::ForVerifying(secret, crypto::WebhookScheme::kStandard));
    return Receiver(misbehaviour, std::move(keys), clock_, random_,
                    [this](const Received& received) { seen_.push_back(received); });
  }
  static Incoming Post(std::string body, Headers headers = {}) {
    return {"POST", "/hook", "1.1", std::move(headers), std::move(body)};
  }

  // The instant of the test vectors in signing.md.
  fakes::FakeClock clock_{SystemTime(std::chrono::seconds(1614265330))};
  SystemRandom random_;
  std::vector<Received> seen_;
};

TEST_F(ReceiverTest, SaysWhetherASignatureIsValid) {
  Receiver receiver = Make({}, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  const Headers headers{{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
                        {"webhook-timestamp", "1614265330"},
                        {"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}};
  receiver.Take(Post(R"({"test": 2432232314})", headers));
  receiver.Take(Post(R"({"test": 2432232315})", headers));
  receiver.Take(Post(R"({"test": 2432232314})"));
  ASSERT_EQ(seen_.size(), 3U);
  EXPECT_EQ(seen_[0].verdict, crypto::SignatureVerdict::kValid);
  EXPECT_EQ(seen_[1].verdict, crypto::SignatureVerdict::kMismatch);
  EXPECT_EQ(seen_[2].verdict, crypto::SignatureVerdict::kMissing);
  EXPECT_THAT(RenderText(seen_[0]), HasSubstr("signature: valid\n"));
  EXPECT_THAT(RenderText(seen_[1]), HasSubstr("signature: INVALID, "));
  EXPECT_EQ(nlohmann::json::parse(RenderJson(seen_[1]))["valid"], false);
}

TEST_F(ReceiverTest, ClaimsNothingAboutSignaturesWithoutAKey) {
  Receiver receiver = Make();
  receiver.Take(Post("{}"));
  EXPECT_TRUE(nlohmann::json::parse(RenderJson(seen_.at(0)))["valid"].is_null());
  EXPECT_THAT(RenderText(seen_.at(0)), Not(HasSubstr("signature")));
}

TEST_F(ReceiverTest, FailsTheFirstRequestsAndAsksToWait) {
  Misbehaviour misbehaviour;
  misbehaviour.fail_first = 2;
  misbehaviour.retry_after = std::chrono::seconds(7);
  Receiver receiver = Make(misbehaviour);
  EXPECT_EQ(receiver.Take(Post("")).status, 503);
  const Reply second = receiver.Take(Post(""));
  EXPECT_EQ(second.status, 503);
  ASSERT_EQ(second.headers.size(), 1U);
  EXPECT_EQ(second.headers[0], (std::pair<std::string, std::string>("Retry-After", "7")));
  const Reply third = receiver.Take(Post(""));
  EXPECT_EQ(third.status, 200);
  EXPECT_TRUE(third.headers.empty());
}

TEST_F(ReceiverTest, FailsAShareOfRequests) {
  Misbehaviour misbehaviour;
  misbehaviour.fail_rate = 0.5;
  Receiver receiver = Make(misbehaviour);
  int failed = 0;
  for (int i = 0; i < 1000; ++i) failed += receiver.Take(Post("")).status == 503 ? 1 : 0;
  EXPECT_GT(failed, 350);
  EXPECT_LT(failed, 650);
}

TEST_F(ReceiverTest, WaitsBeforeItAnswers) {
  Misbehaviour misbehaviour;
  misbehaviour.delay = std::chrono::seconds(3);
  Receiver receiver = Make(misbehaviour);
  receiver.Take(Post(""));
  EXPECT_EQ(clock_.sleeps(), std::vector<Duration>{std::chrono::seconds(3)});
}

TEST_F(ReceiverTest, RemembersTheLastHundredNewestFirst) {
  Receiver receiver = Make();
  for (int i = 1; i <= 150; ++i) receiver.Take(Post(std::to_string(i)));
  const auto last = receiver.Last();
  ASSERT_EQ(last.size(), 100U);
  EXPECT_EQ(last.front().request.body, "150");
  EXPECT_EQ(last.back().request.body, "51");
  EXPECT_EQ(receiver.count(), 150U);
}

TEST_F(ReceiverTest, ShowsItsPageWithoutCountingTheLook) {
  Receiver receiver = Make();
  receiver.Take(Post("x"));
  const Reply page = receiver.Take({"GET", "/", "1.1", {}, ""});
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.content_type, HasSubstr("text/html"));
  EXPECT_EQ(receiver.count(), 1U);
}

TEST_F(ReceiverTest, EscapesEverythingOnThePage) {
  Receiver receiver = Make();
  Incoming nasty = Post("<script>alert(1)</script>", {{"X-<b>", "\"><img src=x onerror=alert(1)>"}});
  nasty.path = "/<script>";
  receiver.Take(std::move(nasty));
  const std::string page = RenderPage(receiver.Last(), receiver.count());
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, Not(HasSubstr("<b>")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)"));
}

TEST_F(ReceiverTest, EscapesWhatCouldSteerATerminal) {
  Receiver receiver = Make();
  receiver.Take(Post("\x1b[2J", {{"X", "\x1b]0;t\x07"}}));
  EXPECT_THAT(RenderText(seen_.at(0)), Not(HasSubstr("\x1b")));
}

TEST_F(ReceiverTest, PutsJsonBodiesIntoItsLinesAsJsonAndOthersAsText) {
  Receiver receiver = Make();
  receiver.Take(Post(R"({"a":[1,2]})", {{"Content-Type", "application/json"}}));
  receiver.Take(Post("payload=%7B%7D"));
  const auto json = nlohmann::json::parse(RenderJson(seen_.at(0)));
  EXPECT_EQ(json["body"]["a"][1], 2);
  EXPECT_EQ(json["headers"]["content-type"], "application/json");
  EXPECT_EQ(json["method"], "POST");
  EXPECT_EQ(nlohmann::json::parse(RenderJson(seen_.at(1)))["body"], "payload=%7B%7D");
}

TEST_F(ReceiverTest, ShowsDeeplyNestedJsonAsTheTextItIs) {
  Receiver receiver = Make();
  const std::string body = std::string(200'000, '[') + std::string(200'000, ']');
  receiver.Take(Post(body));
  EXPECT_EQ(nlohmann::json::parse(RenderJson(seen_.at(0)))["body"], body);
  EXPECT_THAT(RenderText(seen_.at(0)), HasSubstr(body));
  EXPECT_THAT(RenderPage(receiver.Last(), receiver.count()), HasSubstr(body));
}

TEST(HttpBin, AnswersTheRequestUnderWayBeforeItEnds) {
  std::promise<void> handled;
  auto bin = HttpBin::Start({"127.0.0.1", 0}, [&](const Incoming&) {
    handled.set_value();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // the end begins meanwhile
    return Reply{};
  });
  ASSERT_TRUE(bin);
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  where.sin_port = ::htons((*bin)->port());
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
  const std::string request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
  ASSERT_EQ(::send(client.get(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  handled.get_future().wait();
  bin->reset();
  std::string answer(100, '\0');
  answer.resize(
      static_cast<std::size_t>(std::max<ssize_t>(0, ::recv(client.get(), answer.data(), answer.size(), 0))));
  EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 200"));
}

}  // namespace
}  // namespace tw::sandbox
