#include "teleport/decode.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace tw::teleport {
namespace {

using access::RequestState;
using std::chrono::seconds;

types::AccessRequestV3 Request(const std::string& id) {
  types::AccessRequestV3 message;
  message.mutable_metadata()->set_name(id);
  return message;
}

TEST(DecodeTime, TakesYearOneForNotSetAndAnEmptyTimestampFor1970) {
  google::protobuf::Timestamp time;
  EXPECT_EQ(DecodeTime(time), SystemTime());
  ASSERT_TRUE(time.ParseFromString(HexDecode("088092b8c398feffffff01").value()));
  EXPECT_EQ(time.seconds(), -62135596800);
  EXPECT_EQ(DecodeTime(time), std::nullopt);
  time.set_seconds(253'402'300'800);
  EXPECT_EQ(DecodeTime(time), std::nullopt);
}

TEST(DecodeTime, StaysInTheYears1To9999WhateverThePartsOfASecondSay) {
  google::protobuf::Timestamp time;
  time.set_seconds(253'402'300'799);
  time.set_nanos(2'000'000'000);
  EXPECT_EQ(DecodeTime(time), SystemTime(std::chrono::microseconds(253'402'300'799'999'999)));
  time.set_nanos(-1);
  EXPECT_EQ(DecodeTime(time), SystemTime(std::chrono::seconds(253'402'300'799)));
}

TEST(DecodeTime, RoundTripsMicrosecondsAlsoBefore1970) {
  for (const std::int64_t micros : {1'795'347'854'131'354LL, -1LL, 0LL, -1'500'000LL}) {
    google::protobuf::Timestamp time;
    EncodeTime(SystemTime(std::chrono::microseconds(micros)), time);
    EXPECT_GE(time.nanos(), 0);
    EXPECT_EQ(DecodeTime(time), SystemTime(std::chrono::microseconds(micros)));
  }
}

TEST(DecodeRequest, LeavesTimesThatTeleportHasNotSetEmpty) {
  types::AccessRequestV3 message = Request("r1");
  for (auto* time :
       {message.mutable_spec()->mutable_created(), message.mutable_spec()->mutable_expires(),
        message.mutable_spec()->mutable_maxduration(), message.mutable_spec()->mutable_sessionttl()}) {
    time->set_seconds(-62135596800);
  }
  const access::AccessRequest request = DecodeRequest(message);
  EXPECT_FALSE(request.created || request.access_expires || request.max_duration || request.session_ttl);
  EXPECT_FALSE(request.expires || request.assume_start_time);
}

TEST(DecodeRequest, TakesTheRequestsOwnExpiryBeforeTheMetadatas) {
  types::AccessRequestV3 message = Request("r1");
  message.mutable_metadata()->mutable_expires()->set_seconds(1000);
  EXPECT_EQ(DecodeRequest(message).expires, SystemTime(seconds(1000)));
  message.mutable_spec()->mutable_resourceexpiry()->set_seconds(2000);
  EXPECT_EQ(DecodeRequest(message).expires, SystemTime(seconds(2000)));
}

TEST(DecodeRequest, PassesStatesFromTheFutureThroughAsNumbers) {
  types::AccessRequestV3 message = Request("r1");
  message.mutable_spec()->set_state(static_cast<types::RequestState>(9));
  EXPECT_EQ(DecodeRequest(message).state, static_cast<RequestState>(9));
}

TEST(DecodeRequest, ShowsResourcesWithConstraintsInsteadOfTheOlderFieldAndNeverTheSentinel) {
  types::AccessRequestV3 message = Request("r1");
  auto* old = message.mutable_spec()->add_requestedresourceids();
  old->set_kind("node");
  old->set_clustername("update-your-client");
  old->set_name("update-your-client");
  EXPECT_TRUE(DecodeRequest(message).resources.empty());
  auto* fresh = message.mutable_spec()->add_requestedresourceaccessids()->mutable_id();
  fresh->set_kind("app");
  fresh->set_clustername("example");
  fresh->set_name("aws");
  fresh->set_subresourcename("sub");
  EXPECT_EQ(DecodeRequest(message).resources,
            (std::vector<access::ResourceId>{{"example", "app", "aws", "sub"}}));
}

TEST(DecodeRequest, TakesOverPromotionReviewsAnnotationsAndDryRuns) {
  types::AccessRequestV3 message = Request("r1");
  auto& spec = *message.mutable_spec();
  spec.set_state(types::PROMOTED);
  spec.mutable_accesslist()->set_name("al-1");
  spec.mutable_accesslist()->set_title("DBAs");
  spec.set_dryrun(true);
  spec.set_requestkind(types::LONG_TERM);
  (*spec.mutable_systemannotations()->mutable_values())["k"].add_values("a");
  auto* review = spec.add_reviews();
  review->set_author("carol");
  review->mutable_assumestarttime()->set_seconds(5000);
  const access::AccessRequest request = DecodeRequest(message);
  EXPECT_EQ(request.access_list, (access::AccessList{"al-1", "DBAs"}));
  EXPECT_TRUE(request.dry_run);
  EXPECT_EQ(request.kind, 2);
  EXPECT_EQ(request.system_annotations, (access::Annotations{{"k", {"a"}}}));
  EXPECT_EQ(request.reviews.at(0).assume_start_time, SystemTime(seconds(5000)));
}

TEST(DecodeEvent, TakesAMessageOfZeroBytesForInit) {
  proto::Event event;
  ASSERT_TRUE(event.ParseFromString(""));
  ASSERT_TRUE(DecodeEvent(event));
  EXPECT_EQ(DecodeEvent(event)->kind, access::ChangeKind::kInit);
  EXPECT_FALSE(RefusesOurKind(event));
}

TEST(DecodeEvent, SeesWhenInitLeavesOurKindOut) {
  proto::Event event;
  event.mutable_watchstatus()->mutable_spec()->add_kinds()->set_kind("role");
  EXPECT_TRUE(RefusesOurKind(event));
  event.mutable_watchstatus()->mutable_spec()->add_kinds()->set_kind("access_request");
  EXPECT_FALSE(RefusesOurKind(event));
}

TEST(DecodeEvent, PassesOverOtherResourcesOperationsAndMembersOfTheOneof) {
  proto::Event other;
  // PUT (1) with the oneof's member 9 (a role), which this program does not declare.
  ASSERT_TRUE(other.ParseFromString(HexDecode("08014a060a04726f6c65").value()));
  EXPECT_EQ(other.Resource_case(), proto::Event::RESOURCE_NOT_SET);
  EXPECT_FALSE(DecodeEvent(other));
  proto::Event future;
  future.set_type(static_cast<proto::Operation>(7));
  EXPECT_FALSE(DecodeEvent(future));
  proto::Event role_gone;
  role_gone.set_type(proto::DELETE);
  role_gone.mutable_resourceheader()->set_kind("role");
  role_gone.mutable_resourceheader()->mutable_metadata()->set_name("dba");
  EXPECT_FALSE(DecodeEvent(role_gone));
  proto::Event nameless;
  nameless.set_type(proto::PUT);
  nameless.mutable_accessrequest();
  EXPECT_FALSE(DecodeEvent(nameless));
}

TEST(EncodeStateChange, NeverSendsAnEmptyTimestamp) {
  access::StateChange change;
  change.id = "r1";
  change.state = RequestState::kApproved;
  EXPECT_FALSE(EncodeStateChange(change).has_assumestarttime());
  change.assume_start_time = SystemTime(seconds(7));
  EXPECT_EQ(EncodeStateChange(change).assumestarttime().seconds(), 7);
}

TEST(EncodeStateChange, CutsReasonsAt4096BytesBetweenCharacters) {
  access::StateChange change;
  change.reason = std::string(4095, 'x') + "\u00e9";  // the last character would end at byte 4097
  EXPECT_EQ(EncodeStateChange(change).reason(), std::string(4095, 'x'));
  change.reason = std::string(4094, 'x') + "\u00e9";
  EXPECT_EQ(EncodeStateChange(change).reason(), change.reason);
}

TEST(EncodeStateChange, RepairsTextThatIsNotUtf8) {
  access::StateChange change;
  change.reason = "a\xff";
  change.annotations["k"] = {"\xc3"};
  const auto message = EncodeStateChange(change);
  EXPECT_TRUE(IsUtf8(message.reason()));
  EXPECT_TRUE(IsUtf8(message.annotations().values().at("k").values(0)));
}

TEST(EncodeReview, LeavesAuthorAndTimeToTheServer) {
  access::ReviewSubmission review;
  review.id = "r1";
  review.state = RequestState::kDenied;
  review.reason = "no";
  const auto message = EncodeReview(review);
  EXPECT_EQ(message.requestid(), "r1");
  EXPECT_EQ(message.review().proposedstate(), types::DENIED);
  EXPECT_EQ(message.review().author(), "");
  EXPECT_FALSE(message.review().has_created());
}

}  // namespace
}  // namespace tw::teleport
