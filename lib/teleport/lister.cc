#include "teleport/lister.h"

#include "teleport/decode.h"

namespace tw::teleport {
namespace {

// Far from the server's limit of 16000; an answer of this size stays well under a message's usual 4 MiB.
constexpr int kPageSize = 250;

template <class Messages>
std::vector<access::AccessRequest> DecodeAll(const Messages& messages) {
  std::vector<access::AccessRequest> out;
  out.reserve(static_cast<std::size_t>(messages.size()));
  for (const types::AccessRequestV3& message : messages) out.push_back(DecodeRequest(message));
  return out;
}

}  // namespace

Status Lister::Run() {
  for (;;) {
    const ListMethod method = connection_.list_method();
    const Result<bool> done = method == ListMethod::kPaged      ? Paged()
                              : method == ListMethod::kStreamed ? Streamed()
                                                                : Unary();
    if (!done) return done.error();
    if (*done) return {};
    if (method == ListMethod::kUnary) {
      return Error::Failure("this Teleport knows none of the methods that list access requests",
                            "releases from 6 on have one: is this a Teleport Auth Service?");
    }
    connection_.list_method() = method == ListMethod::kPaged ? ListMethod::kStreamed : ListMethod::kUnary;
  }
}

Result<bool> Lister::Finish(const grpc::Status& status) {
  if (status.ok()) return true;
  if (status.error_code() == grpc::UNIMPLEMENTED) return false;
  return connection_.Explain(call_, status, bound_.stop);
}

Result<bool> Lister::Paged() {
  proto::ListAccessRequestsRequest request;
  *request.mutable_filter() = filter_;
  request.set_limit(kPageSize);
  for (;;) {
    CallContext context(bound_);
    proto::ListAccessRequestsResponse answer;
    const grpc::Status status = connection_.stub().ListAccessRequests(context.get(), request, &answer);
    if (!status.ok()) return Finish(status);
    if (Status taken = page_(DecodeAll(answer.accessrequests())); !taken) return taken.error();
    if (answer.nextkey().empty()) return true;
    if (answer.nextkey() == request.startkey()) {
      return Error{ErrorKind::kFailure, "Teleport's list of access requests does not end", {}, true};
    }
    request.set_startkey(answer.nextkey());
  }
}

Result<bool> Lister::Streamed() {
  CallContext context(bound_);
  const auto reader = connection_.stub().GetAccessRequestsV2(context.get(), filter_);
  std::vector<access::AccessRequest> batch;
  types::AccessRequestV3 message;
  while (reader->Read(&message)) {
    batch.push_back(DecodeRequest(message));
    if (batch.size() < kPageSize) continue;
    if (Status taken = page_(std::exchange(batch, {})); !taken) {
      context.Cancel();
      [[maybe_unused]] const grpc::Status ended = reader->Finish();
      return taken.error();
    }
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return Finish(status);
  if (batch.empty()) return true;
  if (Status taken = page_(std::move(batch)); !taken) return taken.error();
  return true;
}

Result<bool> Lister::Unary() {
  CallContext context(bound_);
  proto::AccessRequests answer;
  const grpc::Status status = connection_.stub().GetAccessRequests(context.get(), filter_, &answer);
  if (!status.ok()) return Finish(status);
  if (answer.accessrequests().empty()) return true;
  if (Status taken = page_(DecodeAll(answer.accessrequests())); !taken) return taken.error();
  return true;
}

}  // namespace tw::teleport
