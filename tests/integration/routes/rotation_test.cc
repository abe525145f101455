// Credentials and authorities that change while events flow.
#include <cstdlib>
#include <iostream>
#include <tuple>

#include "follower.h"
#include "pki/pki.h"

namespace tw::routes {
namespace {

using sandbox::RotationPhase;

constexpr char kMoved[] = "moved to the renewed Teleport credentials";
// More by hand: TW_ROTATIONS=1000 teleport_routes_test --gtest_filter='*Renewals*'
int Rotations() {
  const char* wanted = std::getenv("TW_ROTATIONS");
  return wanted == nullptr ? 30 : std::atoi(wanted);
}

// Requests that are gone as soon as they were made: no list shows them, so that only a stream without a gap
// tells of them.
class Passers {
 public:
  explicit Passers(Cluster& cluster)
      : thread_([this, &cluster](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            ids_.push_back(cluster.Ask("passing"));
            EXPECT_TRUE(cluster->Delete(ids_.back()));
            std::this_thread::sleep_for(milliseconds(7));  // the pace of the flow, nothing waits for it
          }
        }) {}
  void Finish() { thread_ = {}; }
  const std::vector<std::string>& ids() const { return ids_; }  // after Finish
  void ExpectEachOnce(const Follower& follower) const {
    const auto seen = follower.seen();
    for (const std::string& id : ids_) {
      for (const auto type : {access::EventType::kCreated, access::EventType::kDeleted}) {
        const auto found = seen.find({id, type});
        ASSERT_NE(found, seen.end()) << id << " " << access::EventTypeName(type) << " was lost";
        EXPECT_EQ(found->second, 1) << id << " " << access::EventTypeName(type);
      }
    }
  }

 private:
  std::vector<std::string> ids_;
  std::jthread thread_;
};

class Rotation : public testing::TestWithParam<std::tuple<Route, Form>> {
 protected:
  Rotation() {
    const auto [route, form] = GetParam();
    auto settings = cluster_.Settings(cluster_.Entrance(route), form);
    settings.refresh_interval = milliseconds(20);
    client_ = teleport::MakeTeleportClient(settings, clock_, log_).value();
  }
  // Newly signed credentials, and the client has moved to them.
  void Renew() {
    const int before = log_.said();
    ASSERT_TRUE(cluster_->WriteUser("plugin"));
    ASSERT_TRUE(Eventually([&] { return log_.said() > before; })) << "the client did not move";
  }

  Cluster cluster_;
  RealClock clock_;
  CountingLogger log_{kMoved};
  std::unique_ptr<teleport::TeleportClient> client_;
};

TEST_P(Rotation, RenewalsLoseNothingRepeatNothingAndFailNoDecision) {
  Follower follower(*client_, log_);
  ASSERT_TRUE(follower.InStep());
  Traffic traffic(cluster_, *client_, follower);
  Passers passers(cluster_);
  const int rotations = Rotations();
  for (int i = 0; i < rotations && !HasFatalFailure(); ++i) Renew();
  passers.Finish();
  traffic.Finish();
  follower.Stop();
  EXPECT_EQ(traffic.failed(), 0U) << traffic.why();
  traffic.ExpectEachOnce(passers.ids().size() * 2);
  passers.ExpectEachOnce(follower);
  EXPECT_GE(log_.said(), rotations);
  EXPECT_EQ(follower.lost(), 0) << "a renewal is no loss of the connection";
  std::cout << rotations << " renewals, " << traffic.asked().size() << " requests decided, "
            << passers.ids().size() << " passed by, " << follower.recovered()
            << " events found by the list\n";
}

TEST_P(Rotation, BothAuthoritiesAreReplacedWithAnOverlap) {
  Follower follower(*client_, log_);
  ASSERT_TRUE(follower.InStep());
  Traffic traffic(cluster_, *client_, follower);
  for (const RotationPhase phase :
       {RotationPhase::kUpdateClients, RotationPhase::kUpdateServers, RotationPhase::kStandby}) {
    ASSERT_TRUE(cluster_->Rotate(phase));
    Renew();
  }
  traffic.Finish();
  EXPECT_EQ(traffic.failed(), 0U) << traffic.why();
  traffic.ExpectEachOnce();
  // What is trusted now is the new authority alone.
  cluster_->DropConnections();
  EXPECT_TRUE(Eventually([&] { return client_->Ping(Soon()).has_value(); }));
}

TEST_P(Rotation, AnExpiredCertificateIsNamedOnceAndItsSuccessorIsTakenUp) {
  Follower follower(*client_, log_);
  ASSERT_TRUE(follower.InStep());
  ASSERT_TRUE(cluster_->WriteUser("plugin", seconds(3)));
  ASSERT_TRUE(Eventually([&] { return log_.said() > 0; }));
  ASSERT_TRUE(Eventually([&] { return clock_.Now() > client_->Credential().not_after; }));
  cluster_->DropConnections();
  std::string why;
  EXPECT_TRUE(Eventually([&] {
    const auto refused = client_->Ping(Soon());
    why = refused ? "" : refused.error().message;
    return why.find("(user plugin) expired on") != std::string::npos;
  })) << why;
  EXPECT_TRUE(Eventually([&] { return log_.kept().Said("our Teleport certificate has expired"); }));
  const std::string id = cluster_.Ask();
  ASSERT_TRUE(cluster_->WriteUser("plugin"));
  EXPECT_TRUE(follower.Saw(id, access::EventType::kCreated, seconds(40)));
  int told = 0;
  for (const std::string& line : log_.kept().lines())
    told += line.find("our Teleport certificate has expired") == std::string::npos ? 0 : 1;
  EXPECT_EQ(told, 1) << "once a minute, not at every look";
}

std::string NameOf(const testing::TestParamInfo<std::tuple<Route, Form>>& way) {
  const auto [route, form] = way.param;
  return RouteName(route) + FormName(form);
}

INSTANTIATE_TEST_SUITE_P(By, Rotation,
                         testing::Combine(testing::Values(Route::kAuth, Route::kProxy, Route::kProxyUpgrade),
                                          testing::Values(Form::kTriple, Form::kIdentity)),
                         NameOf);

}  // namespace
}  // namespace tw::routes
