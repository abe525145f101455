// proto.AuthService over the model: who calls (from the certificate), what the release serves, faults,
// conversion. gRPC's threads call; everything borrowed must outlive the server.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "model/book.h"
#include "model/plugin_data.h"
#include "pki/authority.h"
#include "service/faults.h"
#include "service/watch_hub.h"
#include "wire/authservice.grpc.pb.h"

namespace tw::sandbox {

struct ClusterFacts {
  Release release = Release::k18;
  std::string cluster;
  std::function<std::string()> proxy_address;  // host:port, may answer empty
};

class AuthService final
    : public proto::AuthService::WithRawCallbackMethod_WatchEvents<proto::AuthService::Service> {
 public:
  AuthService(ClusterFacts facts, Book& book, PluginDataShelf& shelf, const UserDirectory& users,
              Faults& faults, WatchHub& hub)
      : facts_(std::move(facts)), book_(book), shelf_(shelf), users_(users), faults_(faults), hub_(hub) {}

  using Context = grpc::ServerContext;
  using Empty = google::protobuf::Empty;

  grpc::Status Ping(Context*, const proto::PingRequest*, proto::PingResponse*) override;
  grpc::Status ListAccessRequests(Context*, const proto::ListAccessRequestsRequest*,
                                  proto::ListAccessRequestsResponse*) override;
  grpc::Status GetAccessRequestsV2(Context*, const types::AccessRequestFilter*,
                                   grpc::ServerWriter<types::AccessRequestV3>*) override;
  grpc::Status GetAccessRequests(Context*, const types::AccessRequestFilter*,
                                 proto::AccessRequests*) override;
  grpc::Status CreateAccessRequestV2(Context*, const types::AccessRequestV3*,
                                     types::AccessRequestV3*) override;
  grpc::Status CreateAccessRequest(Context*, const types::AccessRequestV3*, Empty*) override;
  grpc::Status DeleteAccessRequest(Context*, const proto::RequestID*, Empty*) override;
  grpc::Status SetAccessRequestState(Context*, const proto::RequestStateSetter*, Empty*) override;
  grpc::Status SubmitAccessReview(Context*, const types::AccessReviewSubmission*,
                                  types::AccessRequestV3*) override;
  grpc::Status GetAccessCapabilities(Context*, const types::AccessCapabilitiesRequest*,
                                     types::AccessCapabilities*) override;
  grpc::Status GetPluginData(Context*, const types::PluginDataFilter*, proto::PluginDataSeq*) override;
  grpc::Status UpdatePluginData(Context*, const types::PluginDataUpdateParams*, Empty*) override;
  grpc::Status GetRole(Context*, const proto::GetRoleRequest*, types::RoleV6*) override;
  grpc::Status GetCurrentUser(Context*, const Empty*, types::UserV2*) override;
  grpc::Status GetCurrentUserRoles(Context*, const Empty*, grpc::ServerWriter<types::RoleV6>*) override;
  WatchHub::Reactor* WatchEvents(grpc::CallbackServerContext*, const grpc::ByteBuffer*) override;

 private:
  using Work = std::function<Answer<void>(const Caller&, const Rights&)>;

  // What every call goes through around its own work.
  grpc::Status Serve(grpc::ServerContextBase& context, std::string_view method, const Work& work);
  Answer<void> Admit(grpc::ServerContextBase& context, std::string_view method, Caller& caller,
                     Rights& rights);
  // Reading a certificate costs more than most calls, and each call shows one.
  SubjectMarks MarksOf(const std::string& certificate);
  Answer<void> CheckClientVersion(const grpc::ServerContextBase& context) const;
  Answer<void> ChooseKinds(const proto::Watch& watch, const Caller& caller, const Rights& rights,
                           proto::Watch& accepted, std::vector<WatchFilter>& filters) const;

  const ClusterFacts facts_;
  Book& book_;
  PluginDataShelf& shelf_;
  const UserDirectory& users_;
  Faults& faults_;
  WatchHub& hub_;
  std::mutex mutex_;
  std::unordered_map<std::string, SubjectMarks> marks_;  // at most kMarksKept
};

}  // namespace tw::sandbox
