// Each way into a cluster, with each form of credentials, for each release that the sandbox speaks for: found
// by itself and forced.
#include <algorithm>
#include <optional>

#include "base/clock.h"
#include "cluster.h"
#include "model/release.h"

namespace tw::routes {
namespace {

using access::ChangeKind;
using access::RequestState;
using sandbox::Release;

struct Way {
  Route route;
  Form form;
  Release release;
};

std::string NameOf(const testing::TestParamInfo<Way>& info) {
  const Way& way = info.param;
  return RouteName(way.route) + FormName(way.form) + std::to_string(static_cast<int>(way.release));
}

// What a release that has no such way is told to say (reference page sections 5.5 and 5.6); nullopt: it has.
std::optional<std::string> Obstacle(const Way& way, Route setting) {
  if (way.route == Route::kProxyUpgrade && static_cast<int>(way.release) < 16) {
    if (way.release == Release::k6 && setting == Route::kAuto) return "proxy without TLS routing";
    return "older than Teleport 15.1";
  }
  if (way.route == Route::kProxy && way.release == Release::k6)
    return "Teleport 6.1.0 proxy without TLS routing";
  return std::nullopt;
}

class Routes : public testing::TestWithParam<Way> {
 protected:
  void Use(const std::string& addr, Route setting) {
    auto made = teleport::MakeTeleportClient(cluster_.Settings(addr, GetParam().form, setting), clock_, log_);
    ASSERT_TRUE(made) << made.error().message;
    client_ = std::move(*made);
  }
  // The next change of the stream, waiting for it.
  static access::StreamChange Next(access::EventStream& stream) {
    const auto changes = stream.Read(1, seconds(20));
    EXPECT_TRUE(changes) << changes.error().message;
    EXPECT_TRUE(!changes || !changes->empty()) << "nothing came";
    return changes && !changes->empty() ? changes->front() : access::StreamChange();
  }
  std::vector<std::string> ListedIds() {
    std::vector<std::string> ids;
    const Status listed = client_->List(
        {},
        [&](std::vector<access::AccessRequest> page) -> Status {
          for (const auto& request : page) ids.push_back(request.id);
          return {};
        },
        Soon());
    EXPECT_TRUE(listed) << listed.error().message;
    return ids;
  }
  RequestState StateOf(const std::string& id) {
    const auto found = client_->Get(id, Soon());
    EXPECT_TRUE(found) << found.error().message;
    return found && *found ? (*found)->state : RequestState::kNone;
  }
  // A request appears, is approved through this client, and is seen approved.
  void FollowOneRequest() {
    auto stream = client_->Watch({});
    ASSERT_TRUE(stream) << stream.error().message;
    EXPECT_EQ(Next(**stream).kind, ChangeKind::kInit);
    const std::string id = cluster_.Ask("rotate keys");
    const access::StreamChange created = Next(**stream);
    EXPECT_EQ(created.request.id, id);
    EXPECT_EQ(created.request.state, RequestState::kPending);
    EXPECT_EQ(created.request.reason, "rotate keys");
    const auto ids = ListedIds();
    EXPECT_TRUE(std::find(ids.begin(), ids.end(), id) != ids.end());
    EXPECT_EQ(StateOf(id), RequestState::kPending);
    access::StateChange change;
    change.id = id;
    change.state = RequestState::kApproved;
    change.delegator = "webhooks:carol";
    change.reason = "on call";
    const Status set = client_->SetState(change, Soon());
    ASSERT_TRUE(set) << set.error().message;
    const access::StreamChange approved = Next(**stream);
    EXPECT_EQ(approved.request.id, id);
    EXPECT_EQ(approved.request.state, RequestState::kApproved);
    EXPECT_EQ(approved.request.resolve_reason, "on call");
    EXPECT_EQ(StateOf(id), RequestState::kApproved);
    EXPECT_EQ(cluster_->LastDelegator(id), "webhooks:carol");
  }

  RealClock clock_;
  fakes::FakeLogger log_;
  Cluster cluster_{GetParam().release};
  std::unique_ptr<teleport::TeleportClient> client_;
};

TEST_P(Routes, LeadToTheAuthServiceOrSayWhyNot) {
  const Way way = GetParam();
  for (const Route setting : {Route::kAuto, way.route}) {
    SCOPED_TRACE(setting == Route::kAuto ? "route = auto" : "route forced");
    Use(cluster_.Entrance(way.route), setting);
    const auto info = client_->Ping(Soon());
    if (const auto obstacle = Obstacle(way, setting)) {
      ASSERT_FALSE(info);
      EXPECT_NE(info.error().message.find(*obstacle), std::string::npos) << info.error().message;
      EXPECT_EQ(info.error().kind, ErrorKind::kUnreachable);
      EXPECT_FALSE(info.error().hint.empty());
      continue;
    }
    ASSERT_TRUE(info) << info.error().message;
    EXPECT_EQ(info->cluster, "example.com");
    EXPECT_EQ(info->server_version, sandbox::ServerVersion(way.release));
    EXPECT_EQ(info->user, "plugin");
    EXPECT_EQ(info->route, way.route == Route::kAuth    ? "auth"
                           : way.route == Route::kProxy ? "proxy"
                                                        : "proxy-upgrade");
    FollowOneRequest();
  }
}

std::vector<Way> AllWays() {
  std::vector<Way> ways;
  for (const Route route : {Route::kAuth, Route::kProxy, Route::kProxyUpgrade}) {
    for (const Form form : {Form::kTriple, Form::kIdentity}) {
      for (const Release release :
           {Release::k6, Release::k8, Release::k12, Release::k13, Release::k16, Release::k18})
        ways.push_back({route, form, release});
    }
  }
  return ways;
}

INSTANTIATE_TEST_SUITE_P(Every, Routes, testing::ValuesIn(AllWays()), NameOf);

}  // namespace
}  // namespace tw::routes
