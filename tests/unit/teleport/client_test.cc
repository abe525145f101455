// The client against an Auth Service in this process: real TCP, TLS and gRPC.
#include "teleport/client.h"

#include "fake_auth_service.h"
#include "fakes/fake_clock.h"
#include "teleport_test_util.h"

namespace tw::teleport {
namespace {

using access::ChangeKind;
using access::RequestState;
using fakes::FakeAuthOptions;
using fakes::FakeAuthService;
using fakes::ScriptedAuth;
using std::chrono::milliseconds;
using std::chrono::seconds;

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

types::AccessRequestV3 Message(const std::string& id, types::RequestState state = types::PENDING) {
  types::AccessRequestV3 out;
  out.set_kind("access_request");
  out.mutable_metadata()->set_name(id);
  out.mutable_spec()->set_state(state);
  return out;
}

proto::Event Put(const std::string& id) {
  proto::Event event;
  event.set_type(proto::PUT);
  *event.mutable_accessrequest() = Message(id);
  return event;
}

void WaitForEnd(grpc::ServerContext* context) {
  while (!context->IsCancelled()) std::this_thread::sleep_for(milliseconds(1));
}

class ClientTest : public testing::Test {
 protected:
  ClientTest() {
    service_.ping = [this](grpc::ServerContext* context, proto::PingResponse* answer) {
      version_metadata_ = context->client_metadata().contains("version");
      const grpc::string_ref authority = context->ExperimentalGetAuthority();
      authority_.assign(authority.data(), authority.size());
      answer->set_clustername("example");
      answer->set_serverversion(server_version_);
      answer->set_proxypublicaddr("proxy.example:443");
      return grpc::Status::OK;
    };
  }

  FakeAuthOptions Options() {
    FakeAuthOptions options;
    const auto pair = hosts_.IssueAuthServer();
    options.server_key = pair.key_pem;
    options.server_certificate = pair.certificate_pem;
    options.user_ca = users_.pem();
    return options;
  }
  void Start() { server_ = std::make_unique<FakeAuthService>(Options(), service_); }
  config::TeleportSettings Settings() {
    auto settings =
        WriteTriple(directory_, users_.IssueUser("plugin", {"access-plugin", "gone"}), hosts_.pem());
    if (server_) settings.addr = server_->address();
    return settings;
  }
  TeleportClient& Client() {
    if (!server_) Start();
    if (!client_) client_ = MakeTeleportClient(Settings(), clock_, log_).value();
    return *client_;
  }
  // Reads from the stream until `count` changes came or it ended.
  static std::vector<access::StreamChange> ReadSome(access::EventStream& stream, std::size_t count,
                                                    Error* end = nullptr) {
    std::vector<access::StreamChange> out;
    while (out.size() < count) {
      auto changes = stream.Read(count - out.size(), seconds(10));
      if (!changes) {
        if (end != nullptr) *end = changes.error();
        break;
      }
      if (changes->empty()) break;
      for (auto& change : *changes) out.push_back(std::move(change));
    }
    return out;
  }

  fakes::TestCa hosts_{"example"}, users_{"example"};
  TemporaryDirectory directory_;
  RealClock clock_;
  fakes::FakeLogger log_;
  ScriptedAuth service_;
  std::string server_version_ = "18.2.1";
  std::atomic<bool> version_metadata_{false};
  std::string authority_;  // of the last ping
  std::unique_ptr<FakeAuthService> server_;
  std::unique_ptr<TeleportClient> client_;
};

TEST_F(ClientTest, PingTellsClusterVersionUserAndRoute) {
  const auto info = Client().Ping(Soon());
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->cluster, "example");
  EXPECT_EQ(info->server_version, "18.2.1");
  EXPECT_EQ(info->proxy_address, "proxy.example:443");
  EXPECT_EQ(info->user, "plugin");
  EXPECT_EQ(info->route, "auth");
  EXPECT_EQ(info->certificate_expires, Client().Credential().not_after);
  EXPECT_FALSE(version_metadata_) << "a made-up client version may be refused";
  EXPECT_EQ(authority_, "teleport.cluster.local");
}

TEST_F(ClientTest, ShowsTheAuthServicesNameAndHttp2OnTheWire) {
  ASSERT_TRUE(Client().Ping(Soon()));
  const auto hellos = server_->hellos();
  ASSERT_EQ(hellos.size(), 1U);
  EXPECT_EQ(hellos[0].server_name, "teleport.cluster.local");
  EXPECT_EQ(hellos[0].alpn, std::vector<std::string>{"h2"});
}

TEST_F(ClientTest, SaysThatAServerIsTooOld) {
  server_version_ = "5.2.1";
  const auto info = Client().Ping(Soon());
  ASSERT_FALSE(info);
  EXPECT_TRUE(Has(info.error().message, "5.2.1 is too old"));
  EXPECT_FALSE(info.error().retryable);
}

TEST_F(ClientTest, UsesOneConnectionForAllCallsAndDialsAgainWhenItBroke) {
  ASSERT_TRUE(Client().Ping(Soon()));
  ASSERT_TRUE(Client().Ping(Soon()));
  EXPECT_EQ(server_->connections(), 1U);
  server_->DropAll();
  const auto info = Client().Ping(Soon());
  EXPECT_TRUE(info) << info.error().message;
  EXPECT_EQ(server_->connections(), 2U);
}

TEST_F(ClientTest, ListsByPagesToTheEnd) {
  std::vector<std::string> keys;
  service_.list = [&](const proto::ListAccessRequestsRequest& request,
                      proto::ListAccessRequestsResponse* answer) {
    keys.push_back(request.startkey());
    EXPECT_GT(request.limit(), 0);
    EXPECT_EQ(request.filter().state(), types::PENDING);
    *answer->add_accessrequests() = Message("r" + std::to_string(keys.size()));
    if (keys.size() < 3) answer->set_nextkey("k" + std::to_string(keys.size()));
    return grpc::Status::OK;
  };
  std::vector<std::string> ids;
  const auto listed = Client().List(
      {"", RequestState::kPending},
      [&](std::vector<access::AccessRequest> page) -> Status {
        for (const auto& request : page) ids.push_back(request.id);
        return {};
      },
      Soon());
  ASSERT_TRUE(listed) << listed.error().message;
  EXPECT_EQ(ids, (std::vector<std::string>{"r1", "r2", "r3"}));
  EXPECT_EQ(keys, (std::vector<std::string>{"", "k1", "k2"}));
}

TEST_F(ClientTest, FallsBackToTheStreamAndToTheUnaryListAndRemembersIt) {
  int unary = 0;
  service_.unary_list = [&](const types::AccessRequestFilter&, proto::AccessRequests* answer) {
    ++unary;
    *answer->add_accessrequests() = Message("r1");
    return grpc::Status::OK;
  };
  const auto count = [&] {
    std::size_t seen = 0;
    const auto listed = Client().List(
        {},
        [&](std::vector<access::AccessRequest> page) -> Status {
          seen += page.size();
          return {};
        },
        Soon());
    EXPECT_TRUE(listed) << listed.error().message;
    return seen;
  };
  EXPECT_EQ(count(), 1U);
  service_.stream_list = [&](const types::AccessRequestFilter&,
                             grpc::ServerWriter<types::AccessRequestV3>* writer) {
    for (int i = 0; i < 600; ++i) writer->Write(Message("s" + std::to_string(i)));
    return grpc::Status::OK;
  };
  EXPECT_EQ(count(), 1U) << "this connection is known to want the unary form";
  EXPECT_EQ(unary, 2);
  client_.reset();
  EXPECT_EQ(count(), 600U) << "a new connection finds out anew";
}

TEST_F(ClientTest, StopsListingWhenTheVisitorFails) {
  service_.stream_list = [&](const types::AccessRequestFilter&,
                             grpc::ServerWriter<types::AccessRequestV3>* writer) {
    for (int i = 0; i < 600 && writer->Write(Message("s")); ++i) continue;
    return grpc::Status::OK;
  };
  const auto listed = Client().List(
      {}, [&](std::vector<access::AccessRequest>) -> Status { return Error::Failure("enough"); }, Soon());
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().message, "enough");
}

TEST_F(ClientTest, LooksOneRequestUpById) {
  service_.list = [&](const proto::ListAccessRequestsRequest& request,
                      proto::ListAccessRequestsResponse* answer) {
    if (request.filter().id() == "r1") *answer->add_accessrequests() = Message("r1", types::APPROVED);
    if (request.filter().id() == "odd") *answer->add_accessrequests() = Message("another");
    return grpc::Status::OK;
  };
  const auto found = Client().Get("r1", Soon());
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->state, RequestState::kApproved);
  EXPECT_EQ(Client().Get("r2", Soon()).value(), std::nullopt);
  const auto odd = Client().Get("odd", Soon());
  ASSERT_FALSE(odd);
  EXPECT_TRUE(Has(odd.error().message, "another"));
}

TEST_F(ClientTest, SendsNothingForAnEmptyId) {
  int calls = 0;
  service_.list = [&](const auto&, auto*) { return ++calls, grpc::Status::OK; };
  service_.set_state = [&](const auto&) { return ++calls, grpc::Status::OK; };
  service_.review = [&](const auto&, auto*) { return ++calls, grpc::Status::OK; };
  EXPECT_EQ(Client().Get("", Soon()).error().kind, ErrorKind::kUsage);
  access::StateChange change;
  change.state = RequestState::kApproved;
  EXPECT_EQ(Client().SetState(change, Soon()).error().kind, ErrorKind::kUsage);
  access::ReviewSubmission review;
  review.state = RequestState::kApproved;
  EXPECT_EQ(Client().SubmitReview(review, Soon()).error().kind, ErrorKind::kUsage);
  EXPECT_EQ(calls, 0);
}

TEST_F(ClientTest, SetsTheStateWithDelegatorReasonRolesAndAnnotations) {
  proto::RequestStateSetter seen;
  service_.set_state = [&](const proto::RequestStateSetter& request) {
    seen = request;
    return grpc::Status::OK;
  };
  access::StateChange change{
      "r1", RequestState::kApproved, "webhooks:carol", "on call", {"dba"}, {{"k", {"a", "b"}}}, {}};
  ASSERT_TRUE(Client().SetState(change, Soon()));
  EXPECT_EQ(seen.id(), "r1");
  EXPECT_EQ(seen.state(), types::APPROVED);
  EXPECT_EQ(seen.delegator(), "webhooks:carol");
  EXPECT_EQ(seen.reason(), "on call");
  EXPECT_EQ(seen.roles(0), "dba");
  EXPECT_EQ(seen.annotations().values().at("k").values_size(), 2);
  change.state = RequestState::kDenied;
  EXPECT_EQ(Client().SetState(change, Soon()).error().kind, ErrorKind::kUsage) << "roles belong to approvals";
  change.state = RequestState::kPending;
  EXPECT_EQ(Client().SetState(change, Soon()).error().kind, ErrorKind::kUsage);
}

TEST_F(ClientTest, NamesTheRightThatIsMissingToDecide) {
  service_.set_state = [&](const proto::RequestStateSetter&) {
    return grpc::Status(grpc::PERMISSION_DENIED,
                        "access denied to perform action \"update\" on \"access_request\"");
  };
  const auto set = Client().SetState({"r1", RequestState::kApproved, "", "", {}, {}, {}}, Soon());
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().kind, ErrorKind::kCredentials);
  EXPECT_TRUE(Has(set.error().message, "update on access_request"));
  EXPECT_EQ(server_->connections(), 1U);
}

TEST_F(ClientTest, KnowsARefusalHoweverLongItsReason) {
  service_.set_state = [](const proto::RequestStateSetter&) {
    return grpc::Status(grpc::PERMISSION_DENIED, std::string(30'000, 'x'));
  };
  access::StateChange change;
  change.id = "r1";
  change.state = RequestState::kApproved;
  const auto set = Client().SetState(change, Soon());
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().kind, ErrorKind::kCredentials);
}

TEST_F(ClientTest, ReturnsTheRequestAfterAReview) {
  service_.review = [&](const types::AccessReviewSubmission& submission, types::AccessRequestV3* answer) {
    *answer = Message(submission.requestid(), types::PENDING);
    answer->mutable_spec()->add_reviews()->set_author("plugin");
    return grpc::Status::OK;
  };
  const auto after = Client().SubmitReview({"r1", RequestState::kApproved, "fine", {}}, Soon());
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->state, RequestState::kPending);
  EXPECT_EQ(after->reviews.at(0).author, "plugin");
}

TEST_F(ClientTest, ReadsItsRightsFromTheRolesInItsCertificate) {
  service_.role = [&](const std::string& name, types::RoleV6* role) {
    if (name != "access-plugin") return grpc::Status(grpc::NOT_FOUND, "role gone is not found");
    role->mutable_metadata()->set_name(name);
    auto* rule = role->mutable_spec()->mutable_allow()->add_rules();
    rule->add_resources("access_request");
    rule->add_verbs("list");
    rule->add_verbs("read");
    return grpc::Status::OK;
  };
  const auto rights = Client().Rights(Soon());
  ASSERT_TRUE(rights && *rights);
  EXPECT_TRUE((*rights)->list && (*rights)->read);
  EXPECT_FALSE((*rights)->update);
}

TEST_F(ClientTest, DoesNotKnowItsRightsWhereTheServerLacksGetRole) {
  const auto rights = Client().Rights(Soon());
  ASSERT_TRUE(rights) << rights.error().message;
  EXPECT_FALSE(rights->has_value());
}

TEST_F(ClientTest, CountsOnNoRightWhenARoleOfItsOwnMayNotBeRead) {
  service_.role = [&](const std::string&, types::RoleV6*) {
    return grpc::Status(grpc::PERMISSION_DENIED, "access denied");
  };
  const auto rights = Client().Rights(Soon());
  ASSERT_TRUE(rights && *rights);
  EXPECT_FALSE((*rights)->list || (*rights)->read);
}

TEST_F(ClientTest, StreamsChangesInOrderAndTellsWhyTheStreamEnded) {
  service_.watch = [&](grpc::ServerContext*, const proto::Watch& watch,
                       grpc::ServerWriter<proto::Event>* writer) {
    EXPECT_EQ(watch.kinds(0).kind(), "access_request");
    writer->Write(proto::Event());
    writer->Write(Put("r1"));
    proto::Event unknown;
    unknown.set_type(static_cast<proto::Operation>(9));
    writer->Write(unknown);
    writer->Write(Put("r2"));
    return grpc::Status(grpc::UNKNOWN, "event fanout system reset");
  };
  auto stream = Client().Watch({});
  ASSERT_TRUE(stream) << stream.error().message;
  Error end;
  const auto changes = ReadSome(**stream, 10, &end);
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0].kind, ChangeKind::kInit);
  EXPECT_EQ(changes[1].request.id, "r1");
  EXPECT_EQ(changes[2].request.id, "r2");
  EXPECT_TRUE(end.retryable);
  EXPECT_TRUE(Has(end.message, "event fanout system reset")) << end.message;
  EXPECT_FALSE((*stream)->Read(1, milliseconds(1))) << "an ended stream never recovers";
}

TEST_F(ClientTest, TakesAStreamThatDoesNotBeginWithInitForBroken) {
  service_.watch = [&](grpc::ServerContext* context, const proto::Watch&,
                       grpc::ServerWriter<proto::Event>* writer) {
    writer->Write(Put("r1"));
    WaitForEnd(context);
    return grpc::Status::OK;
  };
  auto stream = Client().Watch({});
  Error end;
  EXPECT_TRUE(ReadSome(**stream, 1, &end).empty());
  EXPECT_TRUE(Has(end.message, "INIT"));
}

TEST_F(ClientTest, NamesTheRightThatIsMissingToWatch) {
  service_.watch = [&](grpc::ServerContext*, const proto::Watch&, grpc::ServerWriter<proto::Event>*) {
    return grpc::Status(grpc::PERMISSION_DENIED,
                        "access denied to perform action \"read\" on \"access_request\"");
  };
  auto stream = Client().Watch({});
  Error end;
  ReadSome(**stream, 1, &end);
  EXPECT_EQ(end.kind, ErrorKind::kCredentials);
  EXPECT_TRUE(Has(end.message, "read on access_request"));
}

TEST_F(ClientTest, SlowReadersHoldTheServerBackAndLoseNothing) {
  constexpr int kEvents = 20'000;
  service_.watch = [&](grpc::ServerContext* context, const proto::Watch&,
                       grpc::ServerWriter<proto::Event>* writer) {
    writer->Write(proto::Event());
    for (int i = 0; i < kEvents; ++i) {
      proto::Event event = Put("r" + std::to_string(i));
      event.mutable_accessrequest()->mutable_spec()->set_requestreason(std::string(500, 'x'));
      if (!writer->Write(event)) return grpc::Status::OK;
    }
    WaitForEnd(context);
    return grpc::Status::OK;
  };
  auto stream = Client().Watch({});
  std::vector<access::StreamChange> changes = ReadSome(**stream, kEvents + 1);
  ASSERT_EQ(changes.size(), static_cast<std::size_t>(kEvents) + 1);
  for (int i = 0; i < kEvents; ++i)
    EXPECT_EQ(changes[static_cast<std::size_t>(i) + 1].request.id, "r" + std::to_string(i));
}

TEST_F(ClientTest, CancelEndsAStreamThatWaitsAndOneWhoseQueueIsFull) {
  service_.watch = [&](grpc::ServerContext* context, const proto::Watch&,
                       grpc::ServerWriter<proto::Event>* writer) {
    writer->Write(proto::Event());
    while (writer->Write(Put("r"))) continue;
    WaitForEnd(context);
    return grpc::Status::OK;
  };
  std::stop_source stop;
  auto stream = Client().Watch(stop.get_token());
  ASSERT_FALSE(ReadSome(**stream, 1).empty());
  stop.request_stop();
  Error end;
  ReadSome(**stream, 1'000'000, &end);
  EXPECT_EQ(end.kind, ErrorKind::kCancelled);
}

TEST_F(ClientTest, ACallObeysItsTimeLimitAndItsStopToken) {
  std::stop_source stop;
  service_.ping = [&](grpc::ServerContext* context, proto::PingResponse*) {
    stop.request_stop();
    WaitForEnd(context);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Client().Ping({seconds(30), stop.get_token()}).error().kind, ErrorKind::kCancelled);
  const auto late = Client().Ping({milliseconds(200), {}});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::kTimeout);
}

TEST_F(ClientTest, ABrokenConnectionEndsTheStreamAsUnreachable) {
  service_.watch = [&](grpc::ServerContext* context, const proto::Watch&,
                       grpc::ServerWriter<proto::Event>* writer) {
    writer->Write(proto::Event());
    WaitForEnd(context);
    return grpc::Status::OK;
  };
  auto stream = Client().Watch({});
  ASSERT_EQ(ReadSome(**stream, 1).size(), 1U);
  server_->DropAll();
  Error end;
  ReadSome(**stream, 1, &end);
  EXPECT_EQ(end.kind, ErrorKind::kUnreachable) << end.message;
  EXPECT_TRUE(end.retryable);
  auto again = Client().Watch({});
  ASSERT_TRUE(again);
  EXPECT_EQ(ReadSome(**again, 1).size(), 1U);
}

TEST_F(ClientTest, ManyThreadsShareOneDial) {
  Start();
  auto client = MakeTeleportClient(Settings(), clock_, log_).value();
  std::vector<std::jthread> threads;
  std::atomic<int> fine{0};
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { fine += client->Ping(Soon()).has_value() ? 1 : 0; });
  threads.clear();
  EXPECT_EQ(fine, 8);
  EXPECT_EQ(server_->connections(), 1U);
}

}  // namespace
}  // namespace tw::teleport
