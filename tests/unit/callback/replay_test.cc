#include <thread>

#include "unit/callback/handler_harness.h"

namespace tw::callback {
namespace {

using access::RequestState;

class ReplayTest : public HandlerTest {
 protected:
  void SetUp() override {
    HandlerTest::SetUp();
    OnlySignatures();
  }
  HttpResponse Deliver(const std::string& id, const std::string& body) {
    return Send(Request("POST", "/", body, Signed(id, body)));
  }
  const std::string approve = LegacyBody("req-1", "Approved");
};

TEST_F(ReplayTest, ARepeatedIdGetsTheFirstAnswerAndActsOnce) {
  EXPECT_EQ(Deliver("msg_1", approve).status, 200);
  teleport.Create("req-1");  // were it carried out again, it would show here
  EXPECT_EQ(Deliver("msg_1", approve).status, 200);
  EXPECT_EQ(StateOf("req-1"), RequestState::kPending);
  EXPECT_EQ(teleport.state_changes().size(), 1U);
}

TEST_F(ReplayTest, TheSameIdWithAnotherBodyIsAConflict) {
  EXPECT_EQ(Deliver("msg_1", approve).status, 200);
  EXPECT_EQ(Deliver("msg_1", LegacyBody("req-1", "Denied")).status, 409);
  EXPECT_EQ(teleport.state_changes().size(), 1U);
}

TEST_F(ReplayTest, ARepetitionWithoutTheOtherCredentialsIsStillOne) {
  http.basic_user = "portal";
  http.basic_password = Secret("correct horse battery");
  HeaderList both = Signed("msg_1", approve);
  both.push_back(Basic("portal", "correct horse battery"));
  EXPECT_EQ(Send(Request("POST", "/", approve, both)).status, 200);
  teleport.Create("req-1");
  EXPECT_EQ(Deliver("msg_1", approve).status, 200);
  EXPECT_EQ(StateOf("req-1"), RequestState::kPending);
}

TEST_F(ReplayTest, RemembersRefusalsThatAreFinal) {
  EXPECT_EQ(Deliver("msg_1", LegacyBody("none", "Approved")).status, 404);
  teleport.Create("none");
  EXPECT_EQ(Deliver("msg_1", LegacyBody("none", "Approved")).status, 404);
  EXPECT_EQ(Deliver("msg_2", LegacyBody("none", "Approved")).status, 200);
}

TEST_F(ReplayTest, ForgetsAnswersThatMayChange) {
  teleport.FailNext("Get", {ErrorKind::kUnreachable, "down", "", true});
  EXPECT_EQ(Deliver("msg_1", approve).status, 503);
  EXPECT_EQ(Deliver("msg_1", approve).status, 200);
}

TEST_F(ReplayTest, RemembersForAsLongAsTheSignatureCouldBeUsed) {
  const SystemTime now = clock.Now();
  EXPECT_EQ(Deliver("msg_1", approve).status, 200);
  EXPECT_GE(replays.forget_after.at("msg_1"), now + 2 * crypto::kSignatureTolerance);
  clock.Advance(std::chrono::seconds(290));
  EXPECT_EQ(Deliver("msg_1", approve).status, 200);
  EXPECT_GE(replays.forget_after.at("msg_1"), clock.Now() + 2 * crypto::kSignatureTolerance);
}

TEST_F(ReplayTest, RefusesWhenItCannotRemember) {
  replays.broken = true;
  EXPECT_EQ(Deliver("msg_1", approve).status, 503);
  EXPECT_TRUE(teleport.state_changes().empty());
}

TEST_F(ReplayTest, TheSameCallbackTwiceAtOnceActsOnce) {
  Handler();
  std::vector<int> statuses(8);
  {
    const HttpRequest request = Request("POST", "/", approve, Signed("msg_1", approve));
    std::vector<std::jthread> threads;
    for (int& status : statuses) threads.emplace_back([&] { status = Handler().Handle(request, {}).status; });
  }
  EXPECT_EQ(statuses, std::vector<int>(8, 200));
  EXPECT_EQ(teleport.state_changes().size(), 1U);
  EXPECT_EQ(observer.counts["approved"], 1);
  EXPECT_EQ(observer.counts["repeated"], 7);
}

}  // namespace
}  // namespace tw::callback
