// What happens when the Auth Service or the proxy dies and comes back, and when the network goes bad: it is
// noticed, nothing is lost, and nobody is flooded.
#include <algorithm>
#include <iostream>

#include "fakes/fake_clock.h"
#include "fakes/fault_proxy.h"
#include "follower.h"

namespace tw::routes {
namespace {

using access::EventType;

// The pings that notice a silent death, a hundred times faster than in earnest (75 s and 20 s).
constexpr teleport::Keepalive kQuickPings{milliseconds(750), milliseconds(200)};

sandbox::SandboxOptions TolerantOfPings() {
  sandbox::SandboxOptions options;
  options.min_ping_interval = milliseconds(1);
  return options;
}

class Outage : public testing::TestWithParam<Route> {
 protected:
  void Follow(const std::string& addr, const teleport::Keepalive& keepalive = {}) {
    auto settings = cluster_.Settings(addr, Form::kIdentity);
    settings.connect_timeout = seconds(2);
    client_ = teleport::MakeTeleportClient(settings, clock_, log_, keepalive).value();
    follower_.emplace(*client_, log_);
    ASSERT_TRUE(follower_->InStep());
  }
  void KillAuth() {
    cluster_->RefuseConnections();
    cluster_->DropConnections();
  }
  void Kill() {
    if (GetParam() == Route::kAuth) {
      KillAuth();
    } else {
      cluster_->SuspendFronts();
    }
  }
  Status Restart() {
    return GetParam() == Route::kAuth ? cluster_->AcceptConnections() : cluster_->ResumeFronts();
  }
  // Three requests known beforehand: one is decided while nobody listens, one goes, one is made then.
  struct Story {
    std::string decided, gone, made;
  };
  Story Begin() {
    Story story{cluster_.Ask(), cluster_.Ask(), {}};
    EXPECT_TRUE(follower_->Saw(story.decided, EventType::kCreated));
    EXPECT_TRUE(follower_->Saw(story.gone, EventType::kCreated));
    return story;
  }
  void GoOnUnseen(Story& story) {
    EXPECT_TRUE(cluster_->Approve(story.decided));
    EXPECT_TRUE(cluster_->Delete(story.gone));
    story.made = cluster_.Ask();
  }
  void ExpectNothingLost(const Story& story) {
    const std::vector<std::pair<std::string, EventType>> wanted{{story.decided, EventType::kCreated},
                                                                {story.gone, EventType::kCreated},
                                                                {story.decided, EventType::kApproved},
                                                                {story.gone, EventType::kDeleted},
                                                                {story.made, EventType::kCreated}};
    for (const auto& [id, type] : wanted)
      EXPECT_TRUE(follower_->Saw(id, type)) << access::EventTypeName(type);
    const auto seen = follower_->seen();
    for (const auto& [key, times] : seen) EXPECT_EQ(times, 1) << access::EventTypeName(key.second);
    EXPECT_EQ(seen.size(), wanted.size());
  }
  void RideOut(const std::function<void()>& kill, const std::function<Status()>& restart) {
    Follow(cluster_.Entrance(GetParam()));
    Story story = Begin();
    const auto killed = std::chrono::steady_clock::now();
    kill();
    ASSERT_TRUE(Eventually([&] { return follower_->lost() > 0; }));
    const auto noticed = std::chrono::steady_clock::now();
    GoOnUnseen(story);
    ASSERT_TRUE(Eventually([&] { return follower_->lost() > 1; })) << "tries again while it is away";
    const auto back = std::chrono::steady_clock::now();
    const Status up = restart();
    ASSERT_TRUE(up) << up.error().message;
    ASSERT_TRUE(follower_->InStep(2, seconds(40)));
    const auto recovered = std::chrono::steady_clock::now();
    ExpectNothingLost(story);
    EXPECT_LE(log_.lines(), 12) << "no flood of lines";
    const auto ms = [](auto time) { return std::chrono::duration_cast<milliseconds>(time).count(); };
    std::cout << "noticed after " << ms(noticed - killed) << " ms, in step " << ms(recovered - back)
              << " ms after the restart, " << follower_->lost() << " attempts failed, " << log_.lines()
              << " lines\n";
  }

  Cluster cluster_{sandbox::Release::k18, TolerantOfPings()};
  RealClock clock_;
  CountingLogger log_;
  std::unique_ptr<teleport::TeleportClient> client_;
  std::optional<Follower> follower_;
};

TEST_P(Outage, AKilledServerIsNoticedAtOnceAndNothingIsLostWhenItIsBack) {
  RideOut([&] { Kill(); }, [&] { return Restart(); });
}

TEST_P(Outage, AnAuthServiceKilledBehindWhateverStandsBeforeItIsNoticedAndNothingIsLost) {
  RideOut([&] { KillAuth(); }, [&] { return cluster_->AcceptConnections(); });
}

TEST_P(Outage, AnAuthServiceThatIsDownIsToldFromTheProxyBeforeItThatIsUp) {
  KillAuth();
  for (const Route asked : {Route::kAuto, GetParam()}) {
    auto settings = cluster_.Settings(cluster_.Entrance(GetParam()), Form::kIdentity, asked);
    const auto client = teleport::MakeTeleportClient(settings, clock_, log_).value();
    const auto answer = client->Ping(Soon());
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::kUnreachable);
    const std::string wanted =
        GetParam() == Route::kAuth
            ? " refused the connection"
            : "no way through " + settings.addr + " to the Auth Service of cluster example.com: ";
    EXPECT_NE(answer.error().message.find(wanted), std::string::npos) << answer.error().message;
  }
}

TEST_P(Outage, ACutConnectionIsOpenedAgainAndNothingIsLost) {
  fakes::FaultProxy network(*ParseAddress(cluster_.Entrance(GetParam())));
  Follow(network.address());
  Story story = Begin();
  network.Refuse(true);
  network.Cut();
  ASSERT_TRUE(Eventually([&] { return follower_->lost() > 0; }));
  GoOnUnseen(story);
  network.Refuse(false);
  ASSERT_TRUE(follower_->InStep(2, seconds(40)));
  ExpectNothingLost(story);
}

TEST_P(Outage, ASilentNetworkIsNoticedByPingsAndNothingIsLost) {
  fakes::FaultProxy network(*ParseAddress(cluster_.Entrance(GetParam())));
  Follow(network.address(), kQuickPings);
  Story story = Begin();
  const auto stalled = std::chrono::steady_clock::now();
  network.Stall();
  GoOnUnseen(story);
  ASSERT_TRUE(Eventually([&] { return follower_->lost() > 0; }));
  const auto noticed = std::chrono::steady_clock::now();
  network.Flow();
  ASSERT_TRUE(follower_->InStep(2, seconds(40)));
  ExpectNothingLost(story);
  std::cout << "noticed after " << std::chrono::duration_cast<milliseconds>(noticed - stalled).count()
            << " ms of pings every " << kQuickPings.time.count() << " + " << kQuickPings.answer.count()
            << " ms\n";
}

// By hand, since it takes two minutes: the same with the pings as they are.
TEST_P(Outage, DISABLED_ASilentNetworkIsNoticedInEarnest) {
  fakes::FaultProxy network(*ParseAddress(cluster_.Entrance(GetParam())));
  Follow(network.address());
  const auto stalled = std::chrono::steady_clock::now();
  network.Stall();
  ASSERT_TRUE(Eventually([&] { return follower_->lost() > 0; }, seconds(150)));
  std::cout << "noticed after "
            << std::chrono::duration_cast<seconds>(std::chrono::steady_clock::now() - stalled).count()
            << " s\n";
}

TEST_P(Outage, ADecisionOverASilentNetworkEndsAtItsLimit) {
  fakes::FaultProxy network(*ParseAddress(cluster_.Entrance(GetParam())));
  Follow(network.address());
  const Story story = Begin();
  network.Stall();
  access::StateChange change;
  change.id = story.decided;
  change.state = access::RequestState::kApproved;
  const Status set = client_->SetState(change, {milliseconds(300), {}});
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().kind, ErrorKind::kTimeout) << set.error().message;
  EXPECT_TRUE(set.error().retryable);
}

std::string NameOf(const testing::TestParamInfo<Route>& route) {
  return RouteName(route.param);
}

INSTANTIATE_TEST_SUITE_P(Of, Outage, testing::Values(Route::kAuth, Route::kProxy, Route::kProxyUpgrade),
                         NameOf);

// Counts what the watcher tells its observer, and stops it after an hour of its clock.
class HourOfTrouble final : public access::WatchObserver {
 public:
  HourOfTrouble(fakes::FakeClock& clock, std::stop_source& stop) : stop_(stop), clock_(clock) {}
  void OnConnected(const access::ClusterInfo&) override {}
  void OnInStep(std::size_t) override {}
  void OnLost(const Error&, milliseconds) override {
    ++attempts;
    if (clock_.Steady() - began_ >= std::chrono::hours(1)) stop_.request_stop();
  }
  void OnImpaired(const std::string&) override {}
  void OnTick() override {}
  int attempts = 0;

 private:
  std::stop_source& stop_;
  fakes::FakeClock& clock_;
  const SteadyTime began_ = clock_.Steady();
};

class NoSink final : public access::ChangeSink {
  Status Commit(std::vector<access::Change>) override { return {}; }
};

TEST(LongOutage, IsNoBusyLoopAndNoFloodOfLines) {
  Cluster cluster;
  fakes::FaultProxy network(cluster->address());
  network.Refuse(true);
  fakes::FakeClock clock(
      std::chrono::time_point_cast<SystemTime::duration>(std::chrono::system_clock::now()));
  CountingLogger log;
  const auto client =
      teleport::MakeTeleportClient(cluster.Settings(network.address(), Form::kIdentity), clock, log).value();
  access::MemoryBook book;
  NoSink sink;
  SystemRandom random;
  std::stop_source stop;
  HourOfTrouble hour(clock, stop);
  access::Watcher watcher(*client, book, nullptr, sink, hour, clock, random, log, {});
  EXPECT_TRUE(watcher.Run(stop.get_token()));
  std::cout << hour.attempts << " attempts, " << network.attempts() << " connections and " << log.lines()
            << " lines in an hour\n";
  EXPECT_LE(network.attempts(), 360U) << "six a minute at most, over an hour";
  EXPECT_GE(hour.attempts, 60) << "but it does go on trying";
  EXPECT_LE(log.lines(), 5);
}

}  // namespace
}  // namespace tw::routes
