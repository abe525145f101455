// The stand-in Auth Service as a client meets it: certificates, releases, fallbacks, rights, faults of calls.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>

#include <future>
#include <set>

#include "service_fixture.h"

namespace tw::recorded {
namespace {

using grpc::StatusCode;
using sandbox::Release;

class Service : public ServiceTest {};

TEST_F(Service, AnswersPingToAnyCertificateWithReleaseAndCluster) {
  Start(Release::k16);
  proto::PingResponse response;
  ASSERT_TRUE(Ping(*Connect(*sandbox_, "nobody"), &response).ok());
  EXPECT_EQ(response.clustername(), "example.com");
  EXPECT_EQ(response.serverversion(), "16.1.0");
}

TEST_F(Service, FinishesTheHandshakeWithoutACertificateButDeniesEveryCall) {
  Start();
  EXPECT_EQ(Ping(*Connect(*sandbox_, "")).error_code(), StatusCode::PERMISSION_DENIED);
}

TEST_F(Service, RefusesACertificateOfAnotherCluster) {
  Start();
  sandbox::SandboxOptions other;
  other.dir = scratch_.path() / "other";
  const auto foreign = sandbox::Sandbox::Start(other);
  ASSERT_TRUE(foreign.has_value());
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = ReadText(sandbox_->File("plugin.cas"));
  tls.pem_private_key = ReadText((*foreign)->File("plugin.key"));
  tls.pem_cert_chain = ReadText((*foreign)->File("plugin.crt"));
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride("teleport.cluster.local");
  const auto stub = proto::AuthService::NewStub(
      grpc::CreateCustomChannel(sandbox_->address().Text(), grpc::SslCredentials(tls), arguments));
  EXPECT_EQ(Ping(*stub).error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(Service, RefusesAnExpiredCertificate) {
  Start();
  ASSERT_TRUE(sandbox_->WriteUser("plugin", std::chrono::hours(-1)).has_value());
  EXPECT_EQ(Ping(*Connect(*sandbox_, "plugin")).error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(Service, NamesTheServiceOrMethodThatItDoesNotHave) {
  Start();
  const auto channel = OpenChannel(*sandbox_, "plugin");
  grpc::TemplatedGenericStub<google::protobuf::Empty, google::protobuf::Empty> stub(channel);
  const auto call = [&](const std::string& path) {
    const auto context = Limited();
    const google::protobuf::Empty request;
    google::protobuf::Empty response;
    std::promise<grpc::Status> status;
    stub.UnaryCall(context.get(), path, {}, &request, &response,
                   [&](grpc::Status ended) { status.set_value(std::move(ended)); });
    return status.get_future().get();
  };
  for (const auto& [path, words] :
       {std::pair{"/proto.AuthService/GetSemaphores",
                  "unknown method GetSemaphores for service proto.AuthService"},
        {"/teleport.users.v1.UsersService/GetUser", "unknown service teleport.users.v1.UsersService"}}) {
    const grpc::Status status = call(path);
    EXPECT_EQ(status.error_code(), StatusCode::UNIMPLEMENTED);
    EXPECT_EQ(status.error_message(), words);
  }
  EXPECT_TRUE(Ping(*Connect(*sandbox_, "plugin")).ok());
}

TEST_F(Service, SendsItsVersionAsAHeaderFromRelease16On) {
  for (const auto& [release, sent] : {std::pair{Release::k13, false}, {Release::k16, true}}) {
    Start(release);
    const auto stub = Connect(*sandbox_, "plugin");
    proto::PingResponse response;
    const auto context = Limited();
    ASSERT_TRUE(stub->Ping(context.get(), {}, &response).ok());
    EXPECT_EQ(context->GetServerInitialMetadata().contains("version"), sent);
  }
}

TEST_F(Service, RefusesClientVersionsThatAreTooOldOrNoVersionAtAll) {
  Start(Release::k18);
  for (const auto& [version, code] : {std::pair{"18.0.0", StatusCode::OK},
                                      {"17.3.1", StatusCode::OK},
                                      {"16.0.0", StatusCode::PERMISSION_DENIED},
                                      {"x", StatusCode::PERMISSION_DENIED}}) {
    const auto stub = Connect(*sandbox_, "plugin");
    proto::PingResponse response;
    const auto context = Limited();
    context->AddMetadata("version", version);
    EXPECT_EQ(stub->Ping(context.get(), {}, &response).error_code(), code) << version;
  }
}

TEST_F(Service, ListsInPagesFromRelease16On) {
  Start(Release::k18);
  for (int i = 0; i < 25; ++i) Ask();
  const auto stub = Connect(*sandbox_, "plugin");
  proto::ListAccessRequestsRequest request;
  request.set_limit(10);
  std::set<std::string> seen;
  int pages = 0;
  do {
    proto::ListAccessRequestsResponse response;
    const auto context = Limited();
    ASSERT_TRUE(stub->ListAccessRequests(context.get(), request, &response).ok());
    for (const auto& one : response.accessrequests()) seen.insert(one.metadata().name());
    request.set_startkey(response.nextkey());
    ++pages;
  } while (!request.startkey().empty());
  EXPECT_EQ(seen.size(), 25U);
  EXPECT_EQ(pages, 3);
}

TEST_F(Service, RefusesPagesOverSixteenThousand) {
  Start(Release::k18);
  proto::ListAccessRequestsRequest request;
  request.set_limit(16001);
  proto::ListAccessRequestsResponse response;
  const auto context = Limited();
  EXPECT_EQ(Connect(*sandbox_, "plugin")->ListAccessRequests(context.get(), request, &response).error_code(),
            StatusCode::INVALID_ARGUMENT);
}

TEST_F(Service, WritesTheEndOfARequestWhereItsReleaseKeepsIt) {
  for (const Release release : {Release::k16, Release::k18}) {
    Start(release);
    Ask();
    proto::ListAccessRequestsResponse response;
    const auto context = Limited();
    ASSERT_TRUE(Connect(*sandbox_, "plugin")->ListAccessRequests(context.get(), {}, &response).ok());
    ASSERT_EQ(response.accessrequests_size(), 1);
    const auto& request = response.accessrequests(0);
    EXPECT_EQ(request.spec().has_resourceexpiry(), release == Release::k18);
    EXPECT_EQ(request.metadata().has_expires(), release == Release::k16);
    EXPECT_EQ(request.metadata().id() != 0, release == Release::k16);
    EXPECT_EQ(request.spec().sessionttl().seconds(), -62'135'596'800) << "never set, but sent";
    EXPECT_TRUE(request.spec().has_resolveannotations()) << "empty, but sent";
  }
}

TEST_F(Service, TellsACallerItsOwnRoleAndNobodyElses) {
  Start(Release::k18);
  const auto stub = Connect(*sandbox_, "notify");
  types::UserV2 user;
  auto context = Limited();
  ASSERT_TRUE(stub->GetCurrentUser(context.get(), {}, &user).ok());
  ASSERT_EQ(user.spec().roles_size(), 1);
  proto::GetRoleRequest request;
  request.set_name(user.spec().roles(0));
  types::RoleV6 role;
  context = Limited();
  ASSERT_TRUE(stub->GetRole(context.get(), request, &role).ok());
  ASSERT_EQ(role.spec().allow().rules_size(), 1);
  EXPECT_THAT(role.spec().allow().rules(0).verbs(), ::testing::ElementsAre("list", "read"));
  request.set_name("plugin");
  context = Limited();
  EXPECT_EQ(stub->GetRole(context.get(), request, &role).error_code(), StatusCode::PERMISSION_DENIED);
}

TEST_F(Service, ChangesRightsWhileItRuns) {
  Start(Release::k18);
  const std::string id = Ask();
  const auto stub = Connect(*sandbox_, "notify");
  EXPECT_EQ(SetState(*stub, id, types::APPROVED).error_code(), StatusCode::PERMISSION_DENIED);
  ASSERT_TRUE(sandbox_->SetRights("notify", {"list", "read", "update"}).has_value());
  EXPECT_TRUE(SetState(*stub, id, types::APPROVED).ok());
}

TEST_F(Service, RefusesAdministrativeCallsForWantOfMfaButNotThoseSignedOnTheAuthHost) {
  Start(Release::k16);
  sandbox_->RequireMfa(true);
  const std::string id = Ask();
  const grpc::Status refused = SetState(*Connect(*sandbox_, "plugin"), id, types::APPROVED);
  EXPECT_EQ(refused.error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(refused.error_message(), "admin-level API request requires MFA verification");
  ASSERT_TRUE(sandbox_->WriteUser("plugin", std::chrono::seconds(0), true).has_value());
  EXPECT_TRUE(SetState(*Connect(*sandbox_, "plugin"), id, types::APPROVED).ok());
}

TEST_F(Service, RefusesDecidersWithActiveRequestsInTheirCertificate) {
  Start(Release::k16);
  ASSERT_TRUE(sandbox_->WriteUser("plugin", std::chrono::seconds(0), false, {"some-request"}).has_value());
  EXPECT_EQ(SetState(*Connect(*sandbox_, "plugin"), Ask(), types::APPROVED).error_code(),
            StatusCode::PERMISSION_DENIED);
}

TEST_F(Service, FailsTheNextCallsOfAMethodOnDemand) {
  Start();
  sandbox::CallFault fault;
  fault.method = "Ping";
  fault.code = sandbox::Code::kUnavailable;
  fault.message = "try later";
  fault.times = 2;
  sandbox_->faults().AddCall(fault);
  const auto stub = Connect(*sandbox_, "plugin");
  EXPECT_EQ(Ping(*stub).error_message(), "try later");
  EXPECT_EQ(Ping(*stub).error_code(), StatusCode::UNAVAILABLE);
  EXPECT_TRUE(Ping(*stub).ok());
}

TEST_F(Service, LosesAnAnswerAfterTheWorkIsDoneOnDemand) {
  Start();
  const std::string id = Ask();
  sandbox::CallFault fault;
  fault.method = "SetAccessRequestState";
  fault.code = sandbox::Code::kUnavailable;
  fault.after_effect = true;
  sandbox_->faults().AddCall(fault);
  EXPECT_EQ(SetState(*Connect(*sandbox_, "plugin"), id, types::APPROVED).error_code(),
            StatusCode::UNAVAILABLE);
  EXPECT_EQ(sandbox_->Find(id)->state, sandbox::State::kApproved);
}

TEST_F(Service, DelaysACallUntilItsClientGivesUp) {
  Start();
  sandbox::CallFault fault;
  fault.method = "*";
  fault.delay = std::chrono::minutes(10);
  sandbox_->faults().AddCall(fault);
  proto::PingResponse response;
  const auto context = Limited(std::chrono::seconds(1));
  EXPECT_EQ(Connect(*sandbox_, "plugin")->Ping(context.get(), {}, &response).error_code(),
            StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(Service, RefusesConnectionsForAWhileAndTakesThemAgainOnTheSamePort) {
  Start();
  const auto before = sandbox_->address().Text();
  sandbox_->RefuseConnections();
  EXPECT_EQ(Ping(*Connect(*sandbox_, "plugin")).error_code(), StatusCode::UNAVAILABLE);
  ASSERT_TRUE(sandbox_->AcceptConnections().has_value());
  EXPECT_EQ(sandbox_->address().Text(), before);
  EXPECT_TRUE(Ping(*Connect(*sandbox_, "plugin")).ok());
}

TEST_F(Service, CarriesOnThroughARotationOfItsAuthorities) {
  Start();
  using sandbox::RotationPhase;
  // Clients with the old files connect until the servers change; those with the new files always do.
  ASSERT_TRUE(sandbox_->Rotate(RotationPhase::kUpdateClients).has_value());
  EXPECT_TRUE(Ping(*Connect(*sandbox_, "plugin")).ok());
  std::filesystem::copy_file(sandbox_->File("plugin.key"), sandbox_->File("old.key"));
  std::filesystem::copy_file(sandbox_->File("plugin.crt"), sandbox_->File("old.crt"));
  ASSERT_TRUE(sandbox_->WriteUser("plugin").has_value());
  EXPECT_TRUE(Ping(*Connect(*sandbox_, "plugin")).ok());
  ASSERT_TRUE(sandbox_->Rotate(RotationPhase::kUpdateServers).has_value());
  EXPECT_TRUE(Ping(*Connect(*sandbox_, "plugin")).ok());
  EXPECT_TRUE(Ping(*Connect(*sandbox_, "old")).ok()) << "a new CA file with an old certificate";
  ASSERT_TRUE(sandbox_->Rotate(RotationPhase::kStandby).has_value());
  EXPECT_TRUE(Ping(*Connect(*sandbox_, "plugin")).ok());
  EXPECT_EQ(Ping(*Connect(*sandbox_, "old")).error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(Service, SendsClientsAwayThatPingTooOften) {
  sandbox::SandboxOptions options;
  options.min_ping_interval = std::chrono::seconds(60);
  Start(options);
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = ReadText(sandbox_->File("plugin.cas"));
  tls.pem_private_key = ReadText(sandbox_->File("plugin.key"));
  tls.pem_cert_chain = ReadText(sandbox_->File("plugin.crt"));
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride("teleport.cluster.local");
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 100);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  Stream stream(proto::AuthService::NewStub(
      grpc::CreateCustomChannel(sandbox_->address().Text(), grpc::SslCredentials(tls), arguments)));
  EXPECT_EQ(stream.Next(), "INIT");
  EXPECT_EQ(stream.Next(), "end");
  const grpc::Status status = stream.Finish();
  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("oo many pings"));
}

}  // namespace
}  // namespace tw::recorded
