// Connections that the server gives up: it restarts in order, or wants its connections spread anew.
#include <gtest/gtest.h>

#include "fake_auth_service.h"
#include "teleport/client.h"
#include "teleport_test_util.h"

namespace tw::teleport {
namespace {

using access::RequestState;
using std::chrono::milliseconds;
using std::chrono::seconds;

types::AccessRequestV3 Message(const std::string& id) {
  types::AccessRequestV3 out;
  out.mutable_metadata()->set_name(id);
  out.mutable_spec()->set_state(types::PENDING);
  return out;
}

class GivenUpTest : public testing::Test {
 protected:
  GivenUpTest() {
    service_.ping = [](grpc::ServerContext*, proto::PingResponse*) { return grpc::Status::OK; };
    service_.list = [](const proto::ListAccessRequestsRequest&, proto::ListAccessRequestsResponse* answer) {
      *answer->add_accessrequests() = Message("r1");
      return grpc::Status::OK;
    };
  }
  void Start(milliseconds connection_age = milliseconds(0)) {
    fakes::FakeAuthOptions options;
    const auto pair = hosts_.IssueAuthServer();
    options.server_key = pair.key_pem;
    options.server_certificate = pair.certificate_pem;
    options.user_ca = users_.pem();
    options.connection_age = connection_age;
    server_ = std::make_unique<fakes::FakeAuthService>(options, service_);
    auto settings = WriteTriple(directory_, users_.IssueUser("plugin", {"access-plugin"}), hosts_.pem());
    settings.addr = server_->address();
    client_ = MakeTeleportClient(settings, clock_, log_).value();
    ASSERT_TRUE(client_->Ping(Soon()));
  }

  fakes::TestCa hosts_{"example"}, users_{"example"};
  TemporaryDirectory directory_;
  RealClock clock_;
  fakes::FakeLogger log_;
  fakes::ScriptedAuth service_;
  std::unique_ptr<fakes::FakeAuthService> server_;
  std::unique_ptr<TeleportClient> client_;
};

TEST_F(GivenUpTest, LookUpsMoveToANewConnectionUnseenWhileTheStreamGoesOnOverTheOldOne) {
  std::atomic<bool> give{false};
  service_.watch = [&](grpc::ServerContext* context, const proto::Watch&,
                       grpc::ServerWriter<proto::Event>* writer) {
    writer->Write(proto::Event());
    while (!give && !context->IsCancelled()) std::this_thread::sleep_for(milliseconds(1));
    proto::Event put;
    put.set_type(proto::PUT);
    *put.mutable_accessrequest() = Message("r2");
    writer->Write(put);
    while (!context->IsCancelled()) std::this_thread::sleep_for(milliseconds(1));
    return grpc::Status::OK;
  };
  Start(milliseconds(500));
  const auto stream = client_->Watch({}).value();
  ASSERT_EQ(stream->Read(1, seconds(10)).value().size(), 1U);
  const auto until = std::chrono::steady_clock::now() + seconds(20);
  for (int i = 0; server_->connections() < 3; ++i) {
    ASSERT_LT(std::chrono::steady_clock::now(), until);
    const auto found = client_->Get("r1", Soon());
    ASSERT_TRUE(found) << "look-up " << i << ": " << found.error().message;
    ASSERT_TRUE(found->has_value());
  }
  give = true;
  const auto changes = stream->Read(1, seconds(10)).value();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].request.id, "r2");
}

TEST_F(GivenUpTest, NoPageOfAListIsGivenTwice) {
  int pages = 0;
  service_.list = [&](const proto::ListAccessRequestsRequest&, proto::ListAccessRequestsResponse* answer) {
    if (++pages == 2) return grpc::Status(grpc::UNAVAILABLE, "gone");
    *answer->add_accessrequests() = Message("r1");
    answer->set_nextkey("k");
    return grpc::Status::OK;
  };
  Start();
  int seen = 0;
  const auto listed = client_->List(
      {},
      [&](const std::vector<access::AccessRequest>&) -> Status {
        ++seen;
        return {};
      },
      Soon());
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().kind, ErrorKind::kUnreachable);
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(pages, 2);
}

TEST_F(GivenUpTest, AServerThatIsNotThereIsAskedTwiceAndNotForEver) {
  int calls = 0;
  service_.list = [&](const proto::ListAccessRequestsRequest&, proto::ListAccessRequestsResponse*) {
    ++calls;
    return grpc::Status(grpc::UNAVAILABLE, "gone");
  };
  Start();
  const auto found = client_->Get("r1", Soon());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kUnreachable);
  EXPECT_EQ(calls, 2);
}

TEST_F(GivenUpTest, ADecisionIsNotRepeated) {
  int calls = 0;
  service_.set_state = [&](const proto::RequestStateSetter&) {
    ++calls;
    return grpc::Status(grpc::UNAVAILABLE, "gone");
  };
  Start();
  access::StateChange change;
  change.id = "r1";
  change.state = RequestState::kApproved;
  EXPECT_FALSE(client_->SetState(change, Soon()));
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace tw::teleport
