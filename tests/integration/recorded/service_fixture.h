// A sandbox in this process for each test, and typed calls to it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "client.h"

namespace tw::recorded {

class ServiceTest : public ::testing::Test {
 protected:
  void Start(sandbox::SandboxOptions options = {}) {
    options.dir = scratch_.path() / "certs";
    auto started = sandbox::Sandbox::Start(options);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    sandbox_ = *std::move(started);
  }
  void Start(sandbox::Release release) {
    sandbox::SandboxOptions options;
    options.release = release;
    Start(options);
  }

  static std::unique_ptr<grpc::ClientContext> Limited(std::chrono::seconds limit = std::chrono::seconds(20)) {
    auto context = std::make_unique<grpc::ClientContext>();
    context->set_deadline(std::chrono::system_clock::now() + limit);
    return context;
  }

  grpc::Status Ping(proto::AuthService::Stub& stub, proto::PingResponse* out = nullptr) {
    proto::PingResponse response;
    const auto context = Limited();
    const grpc::Status status = stub.Ping(context.get(), {}, &response);
    if (out != nullptr) *out = response;
    return status;
  }

  grpc::Status SetState(proto::AuthService::Stub& stub, const std::string& id, types::RequestState state) {
    proto::RequestStateSetter setter;
    setter.set_id(id);
    setter.set_state(state);
    google::protobuf::Empty empty;
    const auto context = Limited();
    return stub.SetAccessRequestState(context.get(), setter, &empty);
  }

  std::string Ask(const std::string& user = "alice") {
    sandbox::NewRequest wanted;
    wanted.user = user;
    wanted.roles = {"dba"};
    const auto id = sandbox_->Request(wanted);
    EXPECT_TRUE(id.has_value());
    return id.value_or("");
  }

  ScratchDir scratch_;
  std::unique_ptr<sandbox::Sandbox> sandbox_;
};

// An open event stream that has had its INIT.
class Stream {
 public:
  explicit Stream(std::unique_ptr<proto::AuthService::Stub> stub, const proto::Watch& watch = AllRequests())
      : stub_(std::move(stub)) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    reader_ = stub_->WatchEvents(&context_, watch);
  }
  ~Stream() {
    if (reader_) {
      context_.TryCancel();
      reader_->Finish();
    }
  }

  static proto::Watch AllRequests() {
    proto::Watch watch;
    watch.add_kinds()->set_kind("access_request");
    return watch;
  }
  bool Read(proto::Event& event) { return reader_->Read(&event); }
  // "INIT", "PUT <id> <state>", "DELETE <id>", "PUT ?" or "end".
  std::string Next() {
    proto::Event event;
    if (!reader_->Read(&event)) return "end";
    if (event.type() == proto::INIT) return "INIT";
    if (event.type() == proto::DELETE) return "DELETE " + event.resourceheader().metadata().name();
    if (!event.has_accessrequest()) return "PUT ?";
    return "PUT " + event.accessrequest().metadata().name() + " " +
           types::RequestState_Name(event.accessrequest().spec().state());
  }
  grpc::Status Finish() {
    const grpc::Status status = reader_->Finish();
    reader_.reset();
    return status;
  }

 private:
  std::unique_ptr<proto::AuthService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<proto::Event>> reader_;
};

}  // namespace tw::recorded
