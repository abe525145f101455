// The calls recorded from real Auth Services, and a way to make them again against any server.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "wire/authservice.grpc.pb.h"

namespace tw::recorded {

struct RecordedCall {
  std::string name;
  std::string user;
  std::string method;
  std::string request;                 // bytes
  std::vector<std::string> responses;  // bytes
  std::string response_type;           // full message name, may be empty
  grpc::StatusCode code = grpc::StatusCode::OK;
  std::string message;
};

// Every call of one recorded.json. Throws when the file is missing or not as expected.
std::vector<RecordedCall> LoadRecording(const std::string& path);

struct CallResult {
  grpc::Status status;
  std::vector<std::unique_ptr<google::protobuf::Message>> responses;
};

using Stub = proto::AuthService::Stub;

// Makes a recorded call, except WatchEvents.
CallResult Replay(Stub& stub, const std::string& method, const std::string& request);

// A message of the named type, parsed; null when the type is unknown or the bytes are not of it.
std::unique_ptr<google::protobuf::Message> Parse(const std::string& type, const std::string& bytes);

}  // namespace tw::recorded
