// What the real client makes of each answer in the tables of the reference page's sections 4.1, 4.2, 5.8 and
// 5.9, given by a server that keeps them.
#include <optional>

#include "follower.h"

namespace tw::routes {
namespace {

using access::RequestState;
using sandbox::Release;

std::string KindAndText(const Error& error) {
  return std::string(tw::ErrorCode(error.kind)) + ": " + error.message;
}

class Tables : public testing::Test {
 protected:
  void Start(Release release) { cluster_.emplace(release); }
  Cluster& cluster() {
    if (!cluster_) Start(Release::k18);
    return *cluster_;
  }
  // A client with the user's present credentials.
  teleport::TeleportClient& As(const std::string& user) {
    const auto settings =
        cluster().Settings(cluster().Entrance(Route::kAuth), Form::kTriple, Route::kAuth, user);
    client_ = teleport::MakeTeleportClient(settings, clock_, log_).value();
    return *client_;
  }
  static access::StateChange Change(const std::string& id, RequestState state) {
    access::StateChange change;
    change.id = id;
    change.state = state;
    return change;
  }
  Status Set(const std::string& id, RequestState state, const std::string& user = "plugin") {
    return As(user).SetState(Change(id, state), Soon());
  }
  Result<access::AccessRequest> Review(const std::string& id, RequestState state,
                                       const std::string& user = "reviewer") {
    access::ReviewSubmission review;
    review.id = id;
    review.state = state;
    return As(user).SubmitReview(review, Soon());
  }
  std::string AskForTwoReviews() {
    sandbox::NewRequest wanted;
    wanted.user = "alice";
    wanted.roles = {"dba"};
    wanted.thresholds = {{"default", 2, 1}};
    return cluster()->Request(std::move(wanted)).value();
  }
  template <class T>
  static void ExpectError(const Result<T>& result, ErrorKind kind, std::string_view words) {
    ASSERT_FALSE(result);
    ExpectIs(result.error(), kind, words);
  }
  static void ExpectError(const Status& status, ErrorKind kind, std::string_view words) {
    ASSERT_FALSE(status);
    ExpectIs(status.error(), kind, words);
  }
  static void ExpectIs(const Error& error, ErrorKind kind, std::string_view words) {
    EXPECT_EQ(error.kind, kind) << KindAndText(error);
    EXPECT_NE(error.message.find(words), std::string::npos) << KindAndText(error);
  }

  std::optional<Cluster> cluster_;
  RealClock clock_;
  NullLogger log_;
  std::unique_ptr<teleport::TeleportClient> client_;
};

// Section 4.1, the transitions.
TEST_F(Tables, OnlyADeniedRequestCannotBeApproved) {
  const std::string id = cluster().Ask();
  EXPECT_TRUE(Set(id, RequestState::kApproved));
  EXPECT_TRUE(Set(id, RequestState::kApproved)) << "again";
  EXPECT_TRUE(Set(id, RequestState::kDenied)) << "a denial may override";
  EXPECT_TRUE(Set(id, RequestState::kDenied)) << "again";
  ExpectError(Set(id, RequestState::kApproved), ErrorKind::kConflict, "already denied");
  const std::string promoted = cluster().Ask();
  ASSERT_TRUE(cluster()->Promote(promoted, {"list", "Some list"}));
  EXPECT_TRUE(Set(promoted, RequestState::kApproved));
  for (const RequestState state : {RequestState::kNone, RequestState::kPending, RequestState::kPromoted})
    ExpectError(Set(cluster().Ask(), state), ErrorKind::kUsage, "either approved or denied");
}

// Section 4.1, the checks.
TEST_F(Tables, RefusedDecisionsNameTheirReason) {
  const std::string id = cluster().Ask();
  ExpectError(Set(id, RequestState::kApproved, "notify"), ErrorKind::kCredentials,
              "the right update on access_request is missing");
  ExpectError(Set("0192e1c4-0000-7000-8000-000000000000", RequestState::kApproved), ErrorKind::kNotFound,
              "not found");
  ExpectError(Set("", RequestState::kApproved), ErrorKind::kUsage, "no access request id");
  access::StateChange change = Change(id, RequestState::kDenied);
  change.roles = {"dba"};
  ExpectError(As("plugin").SetState(change, Soon()), ErrorKind::kUsage, "only to an approval");
  change = Change(id, RequestState::kApproved);
  change.roles = {"admin"};
  ExpectError(As("plugin").SetState(change, Soon()), ErrorKind::kUsage, "does not accept this decision");
  change = Change(id, RequestState::kApproved);
  change.assume_start_time = clock_.Now() + std::chrono::hours(24 * 365);
  ExpectError(As("plugin").SetState(change, Soon()), ErrorKind::kUsage, "does not accept this decision");
  change = Change(id, RequestState::kApproved);
  change.reason = std::string(10'000, 'x');
  EXPECT_TRUE(As("plugin").SetState(change, Soon())) << "reasons are cut at the limit";
}

TEST_F(Tables, TheDecidersOwnRequestAndActiveRequestsAreRefusals) {
  sandbox::NewRequest own;
  own.user = "plugin";
  own.roles = {"dba"};
  const auto id = cluster()->Request(own);
  ASSERT_TRUE(id) << id.error().message;
  ExpectError(Set(*id, RequestState::kApproved), ErrorKind::kCredentials, "your own access requests");
  const std::string other = cluster().Ask();
  ASSERT_TRUE(cluster()->WriteUser("plugin", seconds(0), false, {other}));
  ExpectError(Set(other, RequestState::kApproved), ErrorKind::kCredentials, "Teleport refused");
}

TEST_F(Tables, ADeciderWhoMayNotListFindsNothing) {
  const std::string id = cluster().Ask();
  ASSERT_TRUE(cluster()->SetRights("plugin", {"update"}));
  ExpectError(Set(id, RequestState::kApproved), ErrorKind::kNotFound, "not found");
}

// Section 5.9.
TEST_F(Tables, MfaIsExplainedAndThoseWhoAreExemptDecide) {
  cluster()->RequireMfa(true);
  const std::string id = cluster().Ask();
  ExpectError(Set(id, RequestState::kApproved), ErrorKind::kCredentials, "demands MFA for administrative");
  ExpectError(Review(id, RequestState::kApproved), ErrorKind::kCredentials, "demands MFA for administrative");
  ASSERT_TRUE(cluster()->WriteUser("plugin", seconds(0), true));
  EXPECT_TRUE(Set(id, RequestState::kApproved));
}

// Section 4.2.
TEST_F(Tables, AReviewCountsOnceInTheNameOfItsUser) {
  const std::string id = AskForTwoReviews();
  const auto first = Review(id, RequestState::kApproved);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->state, RequestState::kPending) << "more reviews are needed";
  ASSERT_EQ(first->reviews.size(), 1U);
  EXPECT_EQ(first->reviews.front().author, "reviewer");
  ExpectError(Review(id, RequestState::kApproved), ErrorKind::kConflict, "already reviewed");
  const auto second = Review(id, RequestState::kApproved, "plugin");
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->state, RequestState::kApproved);
}

TEST_F(Tables, RefusedReviewsNameTheirReason) {
  const std::string id = cluster().Ask();
  ExpectError(Review(id, RequestState::kApproved, "notify"), ErrorKind::kCredentials,
              "the right allow.review_requests is missing");
  ExpectError(Review("0192e1c4-0000-7000-8000-000000000000", RequestState::kApproved), ErrorKind::kNotFound,
              "not found");
  ExpectError(Review(id, RequestState::kPromoted), ErrorKind::kUsage, "either approved or denied");
  ASSERT_TRUE(cluster()->SetRights("reviewer", {"list", "read", "review:dev-*"}));
  ExpectError(Review(id, RequestState::kApproved), ErrorKind::kCredentials,
              "allow.review_requests does not cover this request");
}

TEST_F(Tables, ALateReviewIsAConflictFromRelease14On) {
  const std::string id = cluster().Ask();
  ASSERT_TRUE(cluster()->Approve(id));
  ExpectError(Review(id, RequestState::kDenied), ErrorKind::kConflict, "has been already approved");
}

TEST_F(Tables, ALateReviewBeforeRelease14ShowsThatItHadNoEffect) {
  Start(Release::k12);
  const std::string id = cluster().Ask();
  ASSERT_TRUE(cluster()->Approve(id));
  const auto after = Review(id, RequestState::kDenied);
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->state, RequestState::kApproved);
}

// Section 4.4: an empty list is no error, but a watch is.
TEST_F(Tables, AWeakRoleSeesAnEmptyListAndIsRefusedTheWatch) {
  const std::string id = cluster().Ask();
  auto& client = As("nobody");
  std::size_t seen = 0;
  EXPECT_TRUE(client.List(
      {},
      [&](std::vector<access::AccessRequest> page) -> Status {
        seen += page.size();
        return {};
      },
      Soon()));
  EXPECT_EQ(seen, 0U);
  const auto found = client.Get(id, Soon());
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->has_value());
  auto stream = client.Watch({});
  ASSERT_TRUE(stream);
  ExpectError((*stream)->Read(1, seconds(20)), ErrorKind::kCredentials, "read on access_request");
}

// Section 5.8, a hundred times faster: the server takes one ping a 600 ms at most, ours come every 750 ms.
TEST_F(Tables, OurPingsAreSlowEnoughForTheServer) {
  sandbox::SandboxOptions options;
  options.min_ping_interval = milliseconds(600);
  Cluster strict(Release::k18, options);
  CountingLogger log;
  const auto client =
      teleport::MakeTeleportClient(strict.Settings(strict.Entrance(Route::kAuth), Form::kTriple), clock_, log,
                                   {milliseconds(750), milliseconds(200)})
          .value();
  Follower follower(*client, log);
  ASSERT_TRUE(follower.InStep());
  // Six pings' time, in which a server that minds would have sent us away at the third.
  EXPECT_FALSE(Eventually([&] { return follower.lost() > 0; }, milliseconds(4500)));
}

TEST_F(Tables, AServerThatMindsOurPingsIsConnectedAgainWithoutLoss) {
  sandbox::SandboxOptions options;
  options.min_ping_interval = std::chrono::hours(1);
  Cluster strict(Release::k18, options);
  CountingLogger log;
  const auto client =
      teleport::MakeTeleportClient(strict.Settings(strict.Entrance(Route::kAuth), Form::kTriple), clock_, log,
                                   {milliseconds(50), milliseconds(500)})
          .value();
  Follower follower(*client, log);
  ASSERT_TRUE(follower.InStep());
  ASSERT_TRUE(Eventually([&] { return follower.lost() > 0; })) << "GOAWAY too_many_pings";
  const std::string id = strict.Ask();
  EXPECT_TRUE(follower.Saw(id, access::EventType::kCreated));
}

// Section 5.2: clusters before 17 issue RSA keys.
TEST_F(Tables, RsaKeysServeAsWell) {
  sandbox::SandboxOptions options;
  options.key_type = sandbox::KeyType::kRsa;
  Cluster old(Release::k8, options);
  for (const Form form : {Form::kTriple, Form::kIdentity}) {
    const auto client =
        teleport::MakeTeleportClient(old.Settings(old.Entrance(Route::kProxy), form), clock_, log_).value();
    const auto info = client->Ping(Soon());
    EXPECT_TRUE(info) << info.error().message;
  }
}

// Section 3.4: a stream that ended in any way is opened again, and nothing is lost.
TEST_F(Tables, EveryWayAStreamEndsIsFollowedByAnotherStream) {
  const auto client = teleport::MakeTeleportClient(
                          cluster().Settings(cluster().Entrance(Route::kAuth), Form::kTriple), clock_, log_)
                          .value();
  Follower follower(*client, log_);
  ASSERT_TRUE(follower.InStep());
  int ends = 0;
  for (const auto& [code, text] :
       {std::pair{sandbox::Code::kUnknown, "event fanout system reset"},
        std::pair{sandbox::Code::kInvalidArgument, "buffer overflow"}, std::pair{sandbox::Code::kOk, ""}}) {
    cluster()->EndStreams({code, text, 0});
    ++ends;
    ASSERT_TRUE(Eventually([&] { return follower.lost() >= ends; })) << text;
    const std::string id = cluster().Ask();
    EXPECT_TRUE(follower.Saw(id, access::EventType::kCreated, seconds(40))) << text;
  }
}

}  // namespace
}  // namespace tw::routes
