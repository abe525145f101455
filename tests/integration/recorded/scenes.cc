#include "scenes.h"

#include <gtest/gtest.h>

#include <set>

namespace tw::recorded {
namespace {

using sandbox::NewRequest;
using sandbox::Sandbox;
using sandbox::State;

void Must(const Status& status) {
  ASSERT_TRUE(status.has_value()) << status.error().message;
}

NewRequest Like(const types::AccessRequestV3& recorded) {
  NewRequest wanted;
  wanted.id = recorded.metadata().name();
  wanted.user = recorded.spec().user();
  wanted.roles = {recorded.spec().roles().begin(), recorded.spec().roles().end()};
  wanted.reason = recorded.spec().requestreason();
  wanted.suggested_reviewers = {recorded.spec().suggestedreviewers().begin(),
                                recorded.spec().suggestedreviewers().end()};
  return wanted;
}

void Make(Sandbox& sandbox, const NewRequest& wanted) {
  if (sandbox.Find(wanted.id)) return;
  const auto id = sandbox.Request(wanted);
  ASSERT_TRUE(id.has_value()) << id.error().message;
}

void Recreate(Sandbox& sandbox, const types::AccessRequestV3& recorded) {
  Make(sandbox, Like(recorded));
  if (recorded.spec().state() == types::DENIED) {
    Must(sandbox.Deny(recorded.metadata().name(), recorded.spec().resolvereason()));
  }
  if (recorded.spec().state() == types::APPROVED) {
    Must(sandbox.Approve(recorded.metadata().name(), recorded.spec().resolvereason()));
  }
}

void Clear(Sandbox& sandbox) {
  for (const auto& request : sandbox.List()) Must(sandbox.Delete(request->id));
}

void MakePending(Sandbox& sandbox, const std::string& id) {
  NewRequest wanted;
  wanted.id = id;
  wanted.user = "alice";
  wanted.roles = {"admin"};
  Make(sandbox, wanted);
}

// The id that a call is about; empty for those that are about none.
std::string Subject(const RecordedCall& call) {
  if (call.method == "SetAccessRequestState") {
    proto::RequestStateSetter setter;
    return setter.ParseFromString(call.request) ? setter.id() : "";
  }
  if (call.method == "SubmitAccessReview") {
    types::AccessReviewSubmission submission;
    return submission.ParseFromString(call.request) ? submission.requestid() : "";
  }
  if (call.method == "DeleteAccessRequest") {
    proto::RequestID id;
    return id.ParseFromString(call.request) ? id.id() : "";
  }
  if (call.method == "UpdatePluginData" || call.method == "GetPluginData") {
    types::PluginDataUpdateParams params;
    return params.ParseFromString(call.request) ? params.resource() : "";
  }
  return {};
}

}  // namespace

void SetScene(Sandbox& sandbox, const RecordedCall& call) {
  const bool list = call.method == "GetAccessRequests" || call.method == "GetAccessRequestsV2";
  if (list && call.code == grpc::StatusCode::OK) {
    Clear(sandbox);
    for (const std::string& bytes : call.responses) {
      proto::AccessRequests all;
      if (call.response_type == "types.AccessRequestV3") {
        ASSERT_TRUE(all.add_accessrequests()->ParseFromString(bytes));
      } else {
        ASSERT_TRUE(all.ParseFromString(bytes));
      }
      for (const auto& recorded : all.accessrequests()) Recreate(sandbox, recorded);
    }
    return;
  }
  const std::string id = Subject(call);
  if (id.empty() || call.code == grpc::StatusCode::NOT_FOUND) return;
  MakePending(sandbox, id);
  if (call.message.find("already denied") != std::string::npos) Must(sandbox.Deny(id));
}

void Enact(Sandbox& sandbox, const proto::Event& event, bool expires) {
  if (event.type() == proto::DELETE) {
    const std::string& id = event.resourceheader().metadata().name();
    if (sandbox.Find(id) && !expires) Must(sandbox.Delete(id));
    return;
  }
  const types::AccessRequestV3& request = event.accessrequest();
  const std::string& id = request.metadata().name();
  if (!sandbox.Find(id)) {
    NewRequest wanted = Like(request);
    if (expires) wanted.life = std::chrono::milliseconds(300);
    Make(sandbox, wanted);
  } else if (request.spec().state() == types::APPROVED) {
    Must(sandbox.Approve(id, request.spec().resolvereason()));
  } else if (request.spec().state() == types::DENIED) {
    Must(sandbox.Deny(id, request.spec().resolvereason()));
  }
}

void PrepareRemovals(Sandbox& sandbox, const std::vector<std::string>& events) {
  Clear(sandbox);  // what earlier calls left behind
  std::set<std::string> seen;
  for (const std::string& bytes : events) {
    proto::Event event;
    ASSERT_TRUE(event.ParseFromString(bytes));
    if (event.has_accessrequest()) seen.insert(event.accessrequest().metadata().name());
    const std::string& gone = event.resourceheader().metadata().name();
    if (event.type() == proto::DELETE && !seen.contains(gone)) MakePending(sandbox, gone);
  }
}

}  // namespace tw::recorded
