// Event streams of the stand-in Auth Service: order, filters, rights, ends and faults.
#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "service_fixture.h"

namespace tw::recorded {
namespace {

using grpc::StatusCode;
using sandbox::Code;
using sandbox::Release;
using sandbox::StreamEnd;
using sandbox::StreamFaults;

class Streams : public ServiceTest {
 protected:
  Stream Open(const std::string& user = "plugin", const proto::Watch& watch = Stream::AllRequests()) {
    return Stream(Connect(*sandbox_, user), watch);
  }
  static proto::Watch Filtered(const std::string& key, const std::string& value) {
    proto::Watch watch = Stream::AllRequests();
    (*watch.mutable_kinds(0)->mutable_filter())[key] = value;
    return watch;
  }
};

TEST_F(Streams, BeginWithABareInitBeforeRelease13AndWithTheKindsAfter) {
  for (const auto& [release, status] : {std::pair{Release::k12, false}, {Release::k13, true}}) {
    Start(release);
    Stream stream = Open();
    proto::Event event;
    ASSERT_TRUE(stream.Read(event));
    EXPECT_EQ(event.has_watchstatus(), status);
    EXPECT_EQ(event.ByteSizeLong() == 0, !status);
  }
}

TEST_F(Streams, ShowChangesInOrderAndNothingFromBefore) {
  Start();
  Ask();
  Stream stream = Open();
  ASSERT_EQ(stream.Next(), "INIT");
  const std::string id = Ask();
  ASSERT_TRUE(sandbox_->Approve(id).has_value());
  ASSERT_TRUE(sandbox_->Delete(id).has_value());
  EXPECT_EQ(stream.Next(), "PUT " + id + " PENDING");
  EXPECT_EQ(stream.Next(), "PUT " + id + " APPROVED");
  EXPECT_EQ(stream.Next(), "DELETE " + id);
}

TEST_F(Streams, FilterPutsButNeverRemovals) {
  Start();
  Stream stream = Open("plugin", Filtered("user", "bob"));
  ASSERT_EQ(stream.Next(), "INIT");
  const std::string hidden = Ask("alice");
  const std::string shown = Ask("bob");
  ASSERT_TRUE(sandbox_->Delete(hidden).has_value());
  EXPECT_EQ(stream.Next(), "PUT " + shown + " PENDING");
  EXPECT_EQ(stream.Next(), "DELETE " + hidden);
}

TEST_F(Streams, RefuseUnknownFiltersAndEmptyWatches) {
  Start();
  Stream bad = Open("plugin", Filtered("colour", "red"));
  EXPECT_EQ(bad.Next(), "end");
  EXPECT_EQ(bad.Finish().error_code(), StatusCode::INVALID_ARGUMENT);
  Stream empty = Open("plugin", {});
  EXPECT_EQ(empty.Next(), "end");
  EXPECT_EQ(empty.Finish().error_code(), StatusCode::PERMISSION_DENIED);
}

TEST_F(Streams, NeedReadExceptForOnesOwnRequests) {
  Start();
  Stream refused = Open("alice");
  EXPECT_EQ(refused.Next(), "end");
  EXPECT_EQ(refused.Finish().error_code(), StatusCode::PERMISSION_DENIED);
  Stream own = Open("alice", Filtered("user", "alice"));
  EXPECT_EQ(own.Next(), "INIT");
}

TEST_F(Streams, DropRefusedKindsWhenPartialSuccessIsAllowed) {
  proto::Watch watch = Stream::AllRequests();
  watch.add_kinds()->set_kind("access_monitoring_rule");
  watch.set_allowpartialsuccess(true);
  Start(Release::k13);
  Stream partial = Open("plugin", watch);
  proto::Event event;
  ASSERT_TRUE(partial.Read(event));
  ASSERT_EQ(event.watchstatus().spec().kinds_size(), 1);
  EXPECT_EQ(event.watchstatus().spec().kinds(0).kind(), "access_request");
  Start(Release::k12);
  Stream old = Open("plugin", watch);
  EXPECT_EQ(old.Next(), "end") << "releases before 13 know no partial success";
}

TEST_F(Streams, EndWithAnyStatusOnDemand) {
  Start();
  for (const Code code : {Code::kOk, Code::kUnavailable, Code::kUnknown, Code::kInvalidArgument}) {
    Stream stream = Open();
    ASSERT_EQ(stream.Next(), "INIT");
    sandbox_->EndStreams({code, "as told", 0});
    EXPECT_EQ(stream.Next(), "end");
    const grpc::Status status = stream.Finish();
    EXPECT_EQ(static_cast<int>(status.error_code()), static_cast<int>(code));
    EXPECT_EQ(status.error_message(), code == Code::kOk ? "" : "as told");
  }
}

TEST_F(Streams, EndAfterSoManyEventsAndAgainForEveryStreamToCome) {
  Start();
  const StreamEnd end{Code::kUnknown, "enough", 2};
  sandbox_->faults().ChangeStream([&](StreamFaults& faults) { faults.end = end; });
  for (int round = 0; round < 2; ++round) {
    Stream stream = Open();
    ASSERT_EQ(stream.Next(), "INIT");
    const std::string first = Ask();
    const std::string second = Ask();
    EXPECT_EQ(stream.Next(), "PUT " + first + " PENDING");
    EXPECT_EQ(stream.Next(), "PUT " + second + " PENDING");
    EXPECT_EQ(stream.Next(), "end");
    EXPECT_EQ(stream.Finish().error_message(), "enough");
  }
}

TEST_F(Streams, LoseWhatHappensBeforeALateInit) {
  Start();
  sandbox_->faults().ChangeStream([](StreamFaults& f) { f.init_delay = std::chrono::milliseconds(300); });
  Stream stream = Open();
  Ask();
  ASSERT_EQ(stream.Next(), "INIT");
  ASSERT_TRUE(sandbox_->WaitForWatchers(1, std::chrono::seconds(5)));
  const std::string later = Ask();
  EXPECT_EQ(stream.Next(), "PUT " + later + " PENDING");
}

TEST_F(Streams, RepeatAndReorderAndShowUnknownKindsOnDemand) {
  Start();
  Stream stream = Open();
  ASSERT_EQ(stream.Next(), "INIT");
  sandbox_->faults().ChangeStream([](StreamFaults& f) { f.duplicate_puts = true; });
  const std::string twice = Ask();
  EXPECT_EQ(stream.Next(), "PUT " + twice + " PENDING");
  EXPECT_EQ(stream.Next(), "PUT " + twice + " PENDING");
  sandbox_->ClearFaults();
  sandbox_->faults().ChangeStream([](StreamFaults& f) { f.reorder = true; });
  const std::string first = Ask();
  const std::string second = Ask();
  EXPECT_EQ(stream.Next(), "PUT " + second + " PENDING");
  EXPECT_EQ(stream.Next(), "PUT " + first + " PENDING");
  const std::string alone = Ask();
  EXPECT_EQ(stream.Next(), "PUT " + alone + " PENDING") << "held back only for a moment";
  sandbox_->ClearFaults();
  sandbox_->PublishUnknownEvent();
  EXPECT_EQ(stream.Next(), "PUT ?");
}

TEST_F(Streams, ShowARemovalBeforeOrWithoutItsCreationOnDemand) {
  Start();
  Stream stream = Open();
  ASSERT_EQ(stream.Next(), "INIT");
  sandbox_->faults().ChangeStream([](StreamFaults& f) { f.delete_first = 1; });
  const std::string early = Ask();
  EXPECT_EQ(stream.Next(), "DELETE " + early);
  EXPECT_EQ(stream.Next(), "PUT " + early + " PENDING");
  sandbox_->faults().ChangeStream([](StreamFaults& f) { f.drop_puts = 1; });
  const std::string unseen = Ask();
  ASSERT_TRUE(sandbox_->Delete(unseen).has_value());
  EXPECT_EQ(stream.Next(), "DELETE " + unseen);
}

TEST_F(Streams, EndForAReaderThatFallsTooFarBehind) {
  for (const auto& [release, code] :
       {std::pair{Release::k12, StatusCode::INVALID_ARGUMENT}, {Release::k16, StatusCode::UNKNOWN}}) {
    sandbox::SandboxOptions options;
    options.release = release;
    options.watch_queue = 64;
    Start(options);
    Stream stream = Open();
    ASSERT_EQ(stream.Next(), "INIT");
    // Far more than the queue and all buffers on the way hold: 12 MB.
    sandbox::NewRequest large;
    large.user = "alice";
    large.roles = {"dba"};
    large.reason.assign(4000, 'x');
    for (int i = 0; i < 3000; ++i) ASSERT_TRUE(sandbox_->Request(large).has_value());
    while (stream.Next() != "end") {
    }
    EXPECT_EQ(stream.Finish().error_code(), code);
  }
}

TEST_F(Streams, TakeABurstWithoutLossAsFastAsTheyAreRead) {
  sandbox::SandboxOptions options;
  options.watch_queue = 512;
  Start(options);
  Stream stream = Open();
  ASSERT_EQ(stream.Next(), "INIT");
  sandbox::Burst burst;
  burst.count = 5000;
  for (const bool hold : {false, true}) {
    burst.hold = hold;
    std::size_t made = 0;
    std::jthread maker([&] { made = sandbox_->MakeBurst(burst).value_or(0); });
    std::set<std::string> seen;
    while (seen.size() < burst.count) {
      const std::string event = stream.Next();
      ASSERT_EQ(event.substr(0, 4), "PUT ");
      ASSERT_TRUE(seen.insert(event).second) << "twice: " << event;
    }
    maker.join();
    EXPECT_EQ(made, burst.count);
  }
}

TEST_F(Streams, AreCutWithoutAWordOnDemand) {
  Start();
  Stream stream = Open();
  ASSERT_EQ(stream.Next(), "INIT");
  sandbox_->DropConnections();
  EXPECT_EQ(stream.Next(), "end");
  EXPECT_EQ(stream.Finish().error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(Streams, EndAsUnavailableWhenTheServerStops) {
  Start();
  Stream stream = Open();
  ASSERT_EQ(stream.Next(), "INIT");
  sandbox_->Stop();
  EXPECT_EQ(stream.Next(), "end");
  EXPECT_EQ(stream.Finish().error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(Streams, GoAwayWithTheirClients) {
  Start();
  {
    Stream stream = Open();
    ASSERT_EQ(stream.Next(), "INIT");
    EXPECT_EQ(sandbox_->watchers(), 1U);
  }
  for (int i = 0; i < 1000 && sandbox_->watchers() > 0; ++i) Ask();
  EXPECT_EQ(sandbox_->watchers(), 0U);
}

}  // namespace
}  // namespace tw::recorded
