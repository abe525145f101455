#include "webhook/send_once.h"

#include <gmock/gmock.h>

#include "base/url.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_random.h"
#include "fakes/fake_transport.h"
#include "sample_event.h"

namespace tw::webhook {
namespace {

using fakes::Status;
using testing::ElementsAre;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class SendOnceTest : public testing::Test {
 protected:
  SendOnceTest() {
    settings_.url = ParseUrl("https://hooks.example.com/path-canary?x=1").value();
    settings_.secrets = {Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")};
    settings_.headers = {{"X-Api-Key", Secret("key-canary")}};
    settings_.bearer_token = Secret("token-canary");
  }
  EndpointPlan Plan() const {
    static const std::shared_ptr<jq::Compiler> compiler = jq::LoadCompiler().value();
    return EndpointPlan::Make(settings_, {}, "teleport-webhooks/test", compiler.get()).value();
  }
  // Gives these answers in turn, the last one again and again.
  Result<SendReport> Send(std::vector<HttpAnswer> answers, int retries = 0, std::stop_token stop = {}) {
    fakes::FakeTransport transport([&, n = std::size_t{0}](const HttpCall& call) mutable {
      calls_.push_back(call);
      return std::optional(answers[std::min(n++, answers.size() - 1)]);
    });
    return SendOnce(transport, Plan(), {"evt_1", SampleJson(), retries}, clock_, random_, {}, stop);
  }

  config::EndpointSettings settings_;
  fakes::FakeClock clock_;
  fakes::FakeRandom random_;
  std::vector<HttpCall> calls_;
};

TEST_F(SendOnceTest, ReportsASuccess) {
  const auto report = Send({Status(202)});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->judgement.verdict, Verdict::kDelivered);
  EXPECT_EQ(report->answer.status, 202);
  EXPECT_EQ(report->attempts, 1);
}

TEST_F(SendOnceTest, TriesOnceUnlessAskedForMore) {
  EXPECT_EQ(Send({Status(500)})->attempts, 1);
  EXPECT_THAT(clock_.sleeps(), SizeIs(0));
}

TEST_F(SendOnceTest, RetriesWithTheSameIdAndBackOff) {
  const auto report = Send({Status(500), Status(503), Status(200)}, 5);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->judgement.verdict, Verdict::kDelivered);
  EXPECT_EQ(report->attempts, 3);
  EXPECT_THAT(clock_.sleeps(), SizeIs(2));
  EXPECT_EQ(calls_[0].body, calls_[2].body);
}

TEST_F(SendOnceTest, WaitsAsLongAsTheReceiverAsksUnlessThatIsTooLong) {
  EXPECT_EQ(Send({Status(503, "30"), Status(200)}, 1)->attempts, 2);
  EXPECT_THAT(clock_.sleeps(), testing::ElementsAre(30s));
  const auto report = Send({Status(503, "3600"), Status(200)}, 5);
  EXPECT_EQ(report->attempts, 1);
  EXPECT_EQ(report->judgement.verdict, Verdict::kRetry);
}

TEST_F(SendOnceTest, StopsWhenTheRetriesAreUsedUpOrTheRefusalIsFinal) {
  EXPECT_EQ(Send({Status(500)}, 2)->attempts, 3);
  const auto refused = Send({Status(422)}, 5);
  EXPECT_EQ(refused->attempts, 1);
  EXPECT_EQ(refused->judgement.verdict, Verdict::kDead);
  EXPECT_EQ(Send({Status(410)}, 5)->judgement.verdict, Verdict::kDisable);
}

TEST_F(SendOnceTest, EndsWhenAskedToStop) {
  std::stop_source source;
  source.request_stop();
  const auto report = Send({Status(500)}, 5, source.get_token());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::kCancelled);
}

TEST_F(SendOnceTest, AnEventThatCannotBeShapedIsTheReceiversExitCode) {
  settings_.transform = config::JqText{"empty", "conf:1: transform"};
  const auto report = Send({Status(200)});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::kReceiver);
  EXPECT_THAT(calls_, SizeIs(0));
}

TEST_F(SendOnceTest, ShowsEachAttemptToItsViewer) {
  fakes::FakeTransport transport(
      [n = 0](const HttpCall&) mutable { return std::optional(Status(n++ == 0 ? 500 : 200)); });
  std::vector<std::string> seen;
  const AttemptView view{
      [&](const HttpCall& call) { seen.push_back("> " + std::to_string(call.body.size())); },
      [&](const HttpAnswer& answer) { seen.push_back("< " + std::to_string(answer.status)); }};
  ASSERT_TRUE(SendOnce(transport, Plan(), {"evt_1", SampleJson(), 1}, clock_, random_, view, {}));
  EXPECT_THAT(seen, ElementsAre(HasSubstr("> "), "< 500", HasSubstr("> "), "< 200"));
}

TEST_F(SendOnceTest, TheRequestAsTextHidesWhatIsSecret) {
  const EndpointPlan plan = Plan();
  const HttpCall call = plan.Build(1, "evt_1", SampleJson(), clock_.Now()).value();
  const std::string hidden = RequestText(plan, call, "> ", false);
  EXPECT_THAT(hidden, HasSubstr("> POST https://hooks.example.com/***\n"));
  EXPECT_THAT(hidden, HasSubstr("> webhook-id: evt_1\n"));
  EXPECT_THAT(hidden, HasSubstr("> Authorization: ***\n"));
  EXPECT_THAT(hidden, HasSubstr("> X-Api-Key: ***\n"));
  EXPECT_THAT(hidden, Not(HasSubstr("canary")));
  EXPECT_THAT(hidden, Not(HasSubstr("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")));
  const std::string shown = RequestText(plan, call, "", true);
  EXPECT_THAT(shown, HasSubstr("POST https://hooks.example.com/path-canary?x=1\n"));
  EXPECT_THAT(shown, HasSubstr("Authorization: Bearer token-canary\n"));
}

TEST_F(SendOnceTest, AnAnswerThatRepeatsTheRequestIsShownWithoutWhatIsSecret) {
  const EndpointPlan plan = Plan();
  const HttpCall call = plan.Build(1, "evt_1", SampleJson(), clock_.Now()).value();
  std::string echo = std::string(call.target->url.Reveal()) + " moved to /path-canary#top\n";
  for (const auto& [name, value] : call.headers) echo += name + ": " + value + "\n";
  const std::string shown = HideSent(plan.settings(), echo);
  EXPECT_THAT(shown, HasSubstr("*** moved to ***#top\n"));
  EXPECT_THAT(shown, HasSubstr("Authorization: Bearer ***\n"));
  EXPECT_THAT(shown, HasSubstr("webhook-id: evt_1\n"));
  EXPECT_THAT(shown, Not(HasSubstr("canary")));
}

}  // namespace
}  // namespace tw::webhook
