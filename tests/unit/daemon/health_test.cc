#include "daemon/health.h"

#include <gmock/gmock.h>

#include "fakes/fake_clock.h"
#include "fakes/fake_logger.h"

namespace tw::daemon {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

class HealthTest : public testing::Test {
 protected:
  void Lose(ErrorKind kind, const std::string& message) {
    health_.OnLost({kind, message, {}, true}, milliseconds(100));
  }

  fakes::FakeClock clock_;
  fakes::FakeLogger log_;
  Health health_{clock_, log_, [] {}};
};

TEST_F(HealthTest, SaysNoConnectionOfWhatKeptItFromComingAboutOrCutIt) {
  Lose(ErrorKind::kCredentials, "the certificate has expired");
  EXPECT_THAT(health_.Obstacles(), ElementsAre("Teleport: the certificate has expired"));
  EXPECT_TRUE(log_.Said("no connection to Teleport"));
  health_.OnConnected({});
  health_.OnInStep(0);
  EXPECT_THAT(health_.Obstacles(), IsEmpty());
  Lose(ErrorKind::kUnreachable, "it went away");
  EXPECT_THAT(health_.Obstacles(), ElementsAre("Teleport: it went away"));
  EXPECT_FALSE(log_.Said("access requests are not followed"));
}

TEST_F(HealthTest, DoesNotBlameTheConnectionForAStoreThatFails) {
  health_.OnConnected({});
  Lose(ErrorKind::kFailure, "/state/store.db: disk I/O error");
  EXPECT_THAT(health_.Obstacles(), ElementsAre("/state/store.db: disk I/O error"));
  EXPECT_TRUE(log_.Said("access requests are not followed"));
  EXPECT_FALSE(log_.Said("no connection to Teleport"));
}

TEST_F(HealthTest, IsAliveAsOfWhenAllLoopsWereSeenAliveAndWhileItDrains) {
  const SteadyTime began = clock_.Steady();
  EXPECT_EQ(health_.last_alive(), began);
  clock_.Advance(milliseconds(5000));
  health_.OnTick();  // one of them alone
  EXPECT_EQ(health_.last_alive(), began);
  health_.OnAllAlive();
  EXPECT_EQ(health_.last_alive(), clock_.Steady());
  clock_.Advance(milliseconds(5000));
  EXPECT_LT(health_.last_alive(), clock_.Steady());
  health_.SetDraining();
  EXPECT_EQ(health_.last_alive(), clock_.Steady());
}

}  // namespace
}  // namespace tw::daemon
