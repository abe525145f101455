// Answers of real Auth Services (tests/fixtures) decode to the right fields and errors.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/duration.h"
#include "base/text.h"
#include "teleport/decode.h"
#include "teleport/status.h"

namespace tw::teleport {
namespace {

using access::AccessRequest;

nlohmann::json Recorded(const std::string& version) {
  std::ifstream file(std::string(TW_FIXTURES) + "/teleport-" + version + "/recorded.json");
  return nlohmann::json::parse(file);
}

std::vector<std::string> Answers(const nlohmann::json& call) {
  std::vector<std::string> out;
  if (!call.contains("response_hex") || call["response_hex"].is_null()) return out;
  for (const auto& hex : call["response_hex"]) out.push_back(HexDecode(hex.get<std::string>()).value());
  return out;
}

std::string Line(const AccessRequest& r) {
  return fmt::format("{} {} {} [{}] reason='{}' resolved='{}' reviewers=[{}] thresholds={} reviews={}",
                     r.id.substr(0, 8) + r.id.substr(r.id.size() - 2), r.user, access::StateName(r.state),
                     fmt::join(r.roles, ","), r.reason, r.resolve_reason,
                     fmt::join(r.suggested_reviewers, ","), r.thresholds.size(), r.reviews.size());
}

std::string Line(const access::StreamChange& change) {
  switch (change.kind) {
    case access::ChangeKind::kInit:
      return "INIT";
    case access::ChangeKind::kDelete:
      return "DELETE " + change.request.id.substr(0, 8) +
             change.request.id.substr(change.request.id.size() - 2);
    default:
      return "PUT " + Line(change.request);
  }
}

// Every message of a call as lines of text.
std::vector<std::string> Decoded(const nlohmann::json& call) {
  std::vector<std::string> out;
  const std::string type = call.value("message_type", "");
  for (const std::string& bytes : Answers(call)) {
    if (type == "proto.Event") {
      proto::Event event;
      EXPECT_TRUE(event.ParseFromString(bytes));
      const auto change = DecodeEvent(event);
      out.push_back(change ? Line(*change) : "nothing");
    } else if (type == "proto.AccessRequests") {
      proto::AccessRequests list;
      EXPECT_TRUE(list.ParseFromString(bytes));
      for (const auto& one : list.accessrequests()) out.push_back(Line(DecodeRequest(one)));
    } else if (type == "types.AccessRequestV3") {
      types::AccessRequestV3 one;
      EXPECT_TRUE(one.ParseFromString(bytes));
      out.push_back(Line(DecodeRequest(one)));
    } else if (type == "proto.PingResponse") {
      proto::PingResponse ping;
      EXPECT_TRUE(ping.ParseFromString(bytes));
      out.push_back(
          fmt::format("{} {} {}", ping.clustername(), ping.serverversion(), ping.proxypublicaddr()));
    } else if (type == "proto.PluginDataSeq") {
      proto::PluginDataSeq data;
      EXPECT_TRUE(data.ParseFromString(bytes));
      for (const auto& one : data.plugindata())
        out.push_back(one.spec().entries().at("webhooks").data().at("a"));
    } else if (type == "types.AccessCapabilities") {
      types::AccessCapabilities can;
      EXPECT_TRUE(can.ParseFromString(bytes));
      out.push_back(fmt::format("{}", fmt::join(can.requestableroles(), ",")));
    } else {
      EXPECT_EQ(bytes, "") << call["name"];
    }
  }
  return out;
}

const nlohmann::json& Named(const nlohmann::json& calls, const std::string& start) {
  for (const auto& call : calls) {
    if (call["name"].get<std::string>().starts_with(start)) return call;
  }
  throw std::runtime_error("no recorded call " + start);
}

using Lines = std::vector<std::string>;

TEST(RecordedAnswers, StreamOfSixShowsCreationApprovalDenialAndDeletion) {
  const auto calls = Recorded("6.1");
  EXPECT_EQ(Decoded(Named(calls, "a request created")),
            (Lines{"INIT",
                   "PUT a7627aeadd alice PENDING [admin] reason='rotate the database keys' resolved='' "
                   "reviewers=[carol,dave] thresholds=1 reviews=0",
                   "PUT a7627aeadd alice APPROVED [admin] reason='rotate the database keys' resolved='on "
                   "call' reviewers=[carol,dave] thresholds=1 reviews=0",
                   "DELETE a7627aeadd",
                   "PUT 1f64d8908c bob PENDING [access-plugin,admin] reason='' resolved='' reviewers=[] "
                   "thresholds=1 reviews=0",
                   "PUT 1f64d8908c bob DENIED [access-plugin,admin] reason='' resolved='not today' "
                   "reviewers=[] thresholds=1 reviews=0",
                   "PUT d94ed8b374 bob PENDING [admin] reason='short lived' resolved='' reviewers=[] "
                   "thresholds=1 reviews=0",
                   "DELETE d94ed8b374"}));
}

TEST(RecordedAnswers, StreamOfEightShowsTheSameAndDeletionsOfUnseenRequests) {
  const auto calls = Recorded("8.3");
  const Lines lines = Decoded(Named(calls, "a request created"));
  ASSERT_GE(lines.size(), 7U);
  EXPECT_EQ(lines[0], "INIT");
  EXPECT_EQ(lines[1], "DELETE 23bc360505");
  EXPECT_EQ(lines[2],
            "PUT 0000000001 alice PENDING [admin] reason='rotate the database keys' resolved='' "
            "reviewers=[carol] thresholds=1 reviews=0");
  EXPECT_EQ(lines[4], "DELETE 0000000001");
  EXPECT_NE(lines[6].find("bob DENIED [admin,dba] reason='' resolved='not today'"), std::string::npos);
}

TEST(RecordedAnswers, ListsDecodeToTheirRequestsAndEmptyListsToNothing) {
  for (const char* version : {"6.1", "8.3"}) {
    const auto calls = Recorded(version);
    EXPECT_FALSE(Decoded(Named(calls, "list all")).empty()) << version;
    EXPECT_EQ(Decoded(Named(calls, "get one")).size(), 1U) << version;
    EXPECT_TRUE(Decoded(Named(calls, "get one that does not exist")).empty()) << version;
    EXPECT_TRUE(Decoded(Named(calls, "list without permission")).empty()) << version;
  }
  EXPECT_EQ(Decoded(Named(Recorded("8.3"), "list all, streamed")).size(), 2U);
  EXPECT_TRUE(Decoded(Named(Recorded("8.3"), "get one that does not exist, streamed")).empty());
}

TEST(RecordedAnswers, ReviewAnswerHoldsTheReviewAndTheStateAfterIt) {
  const auto calls = Recorded("6.1");
  types::AccessRequestV3 message;
  ASSERT_TRUE(message.ParseFromString(Answers(Named(calls, "review")).at(0)));
  const AccessRequest request = DecodeRequest(message);
  EXPECT_EQ(request.state, access::RequestState::kApproved);
  ASSERT_EQ(request.reviews.size(), 1U);
  EXPECT_EQ(request.reviews[0].author, "plugin");
  EXPECT_EQ(request.reviews[0].state, access::RequestState::kApproved);
  EXPECT_EQ(request.reviews[0].reason, "looks fine");
  EXPECT_EQ(request.reviews[0].created, SystemTime(std::chrono::microseconds(1795342994729933)));
  EXPECT_GT(request.metadata_id, 0);
}

TEST(RecordedAnswers, TimesAreThoseOfTheServer) {
  const auto calls = Recorded("8.3");
  proto::AccessRequests list;
  ASSERT_TRUE(list.ParseFromString(Answers(Named(calls, "get one")).at(0)));
  const AccessRequest request = DecodeRequest(list.accessrequests(0));
  EXPECT_EQ(request.id, "00000000-0000-4000-8000-000000000003");
  EXPECT_EQ(FormatTime(request.created.value()),
            FormatTime(SystemTime(std::chrono::microseconds(1795347854131354))));
  EXPECT_EQ(FormatTime(request.expires.value()),
            FormatTime(SystemTime(std::chrono::microseconds(1795351454131354))));
  EXPECT_EQ(request.access_expires.value(), SystemTime(std::chrono::seconds(1795434170)));
  EXPECT_FALSE(request.max_duration.has_value());
}

TEST(RecordedAnswers, PingsTellClusterVersionAndProxy) {
  EXPECT_EQ(Decoded(Named(Recorded("6.1"), "ping")), (Lines{"local-site 6.1.0-rc.1 "}));
  EXPECT_EQ(Decoded(Named(Recorded("8.3"), "ping")), (Lines{"example 8.3.21 127.0.0.1:3880"}));
  EXPECT_EQ(Decoded(Named(Recorded("6.1"), "plugin data read")), (Lines{"1"}));
  EXPECT_EQ(Decoded(Named(Recorded("6.1"), "capabilities")), (Lines{"access-plugin,admin,plugin-notify"}));
}

Code CodeOf(const std::string& name) {
  if (name == "OK") return Code::kOk;
  if (name == "InvalidArgument") return Code::kInvalidArgument;
  if (name == "NotFound") return Code::kNotFound;
  if (name == "PermissionDenied") return Code::kPermissionDenied;
  if (name == "Unimplemented") return Code::kUnimplemented;
  if (name == "FailedPrecondition") return Code::kFailedPrecondition;
  throw std::runtime_error("no code " + name);
}

Call CallOf(const std::string& method) {
  if (method == "WatchEvents") return Call::kWatch;
  if (method == "SetAccessRequestState") return Call::kSetState;
  if (method == "SubmitAccessReview") return Call::kReview;
  return Call::kList;
}

TEST(RecordedAnswers, EveryRefusalHasItsKindOfErrorAndEveryOtherAnswerDecodes) {
  const std::map<std::string, ErrorKind> expected = {
      {"approve one that is already denied", ErrorKind::kConflict},
      {"approve one that does not exist", ErrorKind::kNotFound},
      {"approve without permission", ErrorKind::kCredentials},
      {"approve with a role that was not asked for", ErrorKind::kUsage},
      {"watch without permission", ErrorKind::kCredentials},
      {"review", ErrorKind::kCredentials},
      {"a method that this version lacks", ErrorKind::kFailure},
      {"plugin data update, expectation not met", ErrorKind::kUnreachable},  // others wrote: may be repeated
      {"delete one that does not exist", ErrorKind::kNotFound},
  };
  for (const char* version : {"6.1", "8.3"}) {
    for (const auto& call : Recorded(version)) {
      const std::string name = call["name"];
      const Code code = CodeOf(call["grpc_code"]);
      if (code == Code::kOk) {
        Decoded(call);
        continue;
      }
      const Error error = StatusError(CallOf(call["method"]), code, call.value("grpc_message", ""));
      ASSERT_TRUE(expected.contains(name)) << name;
      EXPECT_EQ(error.kind, expected.at(name)) << version << ": " << name << ": " << error.message;
    }
  }
}

}  // namespace
}  // namespace tw::teleport
