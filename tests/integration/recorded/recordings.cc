#include "recordings.h"

#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/text.h"

namespace tw::recorded {
namespace {

constexpr std::chrono::seconds kCallLimit{20};

std::string Bytes(const nlohmann::json& hex) {
  return HexDecode(hex.get<std::string>()).value();
}

grpc::StatusCode CodeOf(const std::string& name) {
  static const std::map<std::string, grpc::StatusCode> kCodes{
      {"OK", grpc::StatusCode::OK},
      {"InvalidArgument", grpc::StatusCode::INVALID_ARGUMENT},
      {"NotFound", grpc::StatusCode::NOT_FOUND},
      {"PermissionDenied", grpc::StatusCode::PERMISSION_DENIED},
      {"FailedPrecondition", grpc::StatusCode::FAILED_PRECONDITION},
      {"Unimplemented", grpc::StatusCode::UNIMPLEMENTED}};
  return kCodes.at(name);
}

using Maker = std::function<CallResult(Stub&, grpc::ClientContext&, const std::string&)>;

template <class Request, class Response>
Maker Unary(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*)) {
  return [method](Stub& stub, grpc::ClientContext& context, const std::string& bytes) {
    Request request;
    if (!request.ParseFromString(bytes)) throw std::runtime_error("recorded request cannot be parsed");
    auto response = std::make_unique<Response>();
    CallResult result;
    result.status = (stub.*method)(&context, request, response.get());
    if (result.status.ok()) result.responses.push_back(std::move(response));
    return result;
  };
}

CallResult ListStreamed(Stub& stub, grpc::ClientContext& context, const std::string& bytes) {
  types::AccessRequestFilter filter;
  if (!filter.ParseFromString(bytes)) throw std::runtime_error("recorded filter cannot be parsed");
  CallResult result;
  const auto reader = stub.GetAccessRequestsV2(&context, filter);
  types::AccessRequestV3 request;
  while (reader->Read(&request))
    result.responses.push_back(std::make_unique<types::AccessRequestV3>(request));
  result.status = reader->Finish();
  return result;
}

}  // namespace

std::vector<RecordedCall> LoadRecording(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<RecordedCall> calls;
  for (const auto& entry : nlohmann::json::parse(file)) {
    RecordedCall call;
    call.name = entry.at("name");
    call.user = entry.at("as");
    call.method = entry.at("method");
    call.request = Bytes(entry.at("request_hex"));
    if (entry.contains("response_hex")) {
      for (const auto& hex : entry.at("response_hex")) call.responses.push_back(Bytes(hex));
    }
    call.response_type = entry.value("message_type", "google.protobuf.Empty");
    call.code = CodeOf(entry.at("grpc_code"));
    call.message = entry.value("grpc_message", "");
    calls.push_back(std::move(call));
  }
  return calls;
}

CallResult Replay(Stub& stub, const std::string& method, const std::string& request) {
  static const std::map<std::string, Maker> kMakers{
      {"Ping", Unary(&Stub::Ping)},
      {"ListAccessRequests", Unary(&Stub::ListAccessRequests)},
      {"GetAccessRequests", Unary(&Stub::GetAccessRequests)},
      {"GetAccessRequestsV2", ListStreamed},
      {"CreateAccessRequest", Unary(&Stub::CreateAccessRequest)},
      {"DeleteAccessRequest", Unary(&Stub::DeleteAccessRequest)},
      {"SetAccessRequestState", Unary(&Stub::SetAccessRequestState)},
      {"SubmitAccessReview", Unary(&Stub::SubmitAccessReview)},
      {"GetAccessCapabilities", Unary(&Stub::GetAccessCapabilities)},
      {"GetPluginData", Unary(&Stub::GetPluginData)},
      {"UpdatePluginData", Unary(&Stub::UpdatePluginData)}};
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallLimit);
  return kMakers.at(method)(stub, context, request);
}

std::unique_ptr<google::protobuf::Message> Parse(const std::string& type, const std::string& bytes) {
  // Named once, so that the linker keeps their descriptors.
  static_cast<void>(google::protobuf::Empty::descriptor());
  const auto* descriptor = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(type);
  if (descriptor == nullptr) return nullptr;
  std::unique_ptr<google::protobuf::Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
  if (!message->ParseFromString(bytes)) return nullptr;
  return message;
}

}  // namespace tw::recorded
