// Every call recorded from a real Auth Service, made again to the sandbox in the matching release: same code,
// same text, same shape.
#include <gtest/gtest.h>

#include "client.h"
#include "recordings.h"
#include "sandbox.h"
#include "scenes.h"
#include "shape.h"

namespace tw::recorded {
namespace {

using sandbox::Release;
using sandbox::Sandbox;

struct Recording {
  Release release;
  std::string folder;
  std::size_t calls;  // how many the file holds, so that none is passed over
};

class Recorded : public ::testing::TestWithParam<Recording> {
 protected:
  void SetUp() override {
    sandbox::SandboxOptions options;
    options.dir = scratch_.path() / "certs";
    options.release = GetParam().release;
    options.expiry_scan = std::chrono::milliseconds(50);
    auto started = Sandbox::Start(options);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    sandbox_ = *std::move(started);
    calls_ = LoadRecording(std::string(TW_FIXTURES) + "/" + GetParam().folder + "/recorded.json");
  }

  void ReplayCall(const RecordedCall& call) {
    SetScene(*sandbox_, call);
    const CallResult result = Replay(*Connect(*sandbox_, call.user), call.method, call.request);
    EXPECT_EQ(result.status.error_code(), call.code) << result.status.error_message();
    EXPECT_EQ(result.status.error_message(), call.message);
    if (call.code != grpc::StatusCode::OK) return;
    ASSERT_EQ(result.responses.size(), call.responses.size());
    for (std::size_t i = 0; i < call.responses.size(); ++i) {
      const auto want = Parse(call.response_type, call.responses[i]);
      ASSERT_NE(want, nullptr) << call.response_type;
      EXPECT_EQ(ShapeDifference(*want, *result.responses[i]), "") << result.responses[i]->DebugString();
    }
  }

  void ReplayWatch(const RecordedCall& call) {
    PrepareRemovals(*sandbox_, call.responses);
    proto::Watch watch;
    ASSERT_TRUE(watch.ParseFromString(call.request));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    const auto stub = Connect(*sandbox_, call.user);
    const auto reader = stub->WatchEvents(&context, watch);
    for (std::size_t i = 0; i < call.responses.size(); ++i) {
      proto::Event want;
      proto::Event got;
      ASSERT_TRUE(want.ParseFromString(call.responses[i]));
      // The recording with an expiry ends with it: the last request is left alone until it is removed.
      const bool expires = call.name.find("expires") != std::string::npos && i + 2 >= call.responses.size();
      if (i > 0) Enact(*sandbox_, want, expires);
      ASSERT_TRUE(reader->Read(&got)) << "event " << i << ": " << reader->Finish().error_message();
      EXPECT_EQ(got.ByteSizeLong() == 0, call.responses[i].empty()) << "INIT of old releases is empty";
      EXPECT_EQ(ShapeDifference(want, got), "") << "event " << i << "\n" << got.DebugString();
    }
    context.TryCancel();
    const grpc::Status status = reader->Finish();
    if (call.code == grpc::StatusCode::OK) return;  // the recorder stopped listening
    EXPECT_EQ(status.error_code(), call.code);
    EXPECT_EQ(status.error_message(), call.message);
  }

  ScratchDir scratch_;
  std::unique_ptr<Sandbox> sandbox_;
  std::vector<RecordedCall> calls_;
};

TEST_P(Recorded, EveryCallGetsTheSameAnswer) {
  ASSERT_EQ(calls_.size(), GetParam().calls);
  for (const RecordedCall& call : calls_) {
    SCOPED_TRACE(call.name + " (" + call.method + " as " + call.user + ")");
    if (call.method == "WatchEvents" && call.code == grpc::StatusCode::OK) {
      ReplayWatch(call);
    } else if (call.method == "WatchEvents") {
      proto::Watch watch;
      ASSERT_TRUE(watch.ParseFromString(call.request));
      grpc::ClientContext context;
      const auto stub = Connect(*sandbox_, call.user);
      const auto reader = stub->WatchEvents(&context, watch);
      proto::Event event;
      EXPECT_FALSE(reader->Read(&event));
      const grpc::Status status = reader->Finish();
      EXPECT_EQ(status.error_code(), call.code);
      EXPECT_EQ(status.error_message(), call.message);
    } else {
      ReplayCall(call);
    }
  }
}

// The comparison must be able to fail.
TEST_P(Recorded, AChangedAnswerIsNoticed) {
  for (const RecordedCall& call : calls_) {
    if (call.name != "list all") continue;
    const auto want = Parse(call.response_type, call.responses.at(0));
    proto::AccessRequests changed;
    changed.CopyFrom(*want);
    EXPECT_EQ(ShapeDifference(*want, changed), "");
    changed.mutable_accessrequests(0)->mutable_spec()->clear_systemannotations();
    EXPECT_NE(ShapeDifference(*want, changed), "");
    changed.CopyFrom(*want);
    changed.mutable_accessrequests(0)->mutable_spec()->set_state(types::APPROVED);
    EXPECT_NE(ShapeDifference(*want, changed), "");
    return;
  }
  FAIL() << "the recording has no list";
}

INSTANTIATE_TEST_SUITE_P(Releases, Recorded,
                         ::testing::Values(Recording{Release::k6, "teleport-6.1", 25},
                                           Recording{Release::k8, "teleport-8.3", 28}),
                         [](const auto& param) {
                           return "Release" + std::to_string(static_cast<int>(param.param.release));
                         });

}  // namespace
}  // namespace tw::recorded
