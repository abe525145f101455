#include "teleport/decode.h"

#include <gtest/gtest.h>

#include "access/event_json.h"
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

// Every field of an access request as Teleport's own Go library writes it: times that were never set, an
// annotation without values, fields of later releases (23 to 25) and numbers that nobody has given a meaning
// yet.
constexpr std::string_view kWrittenByGo =
    "0a0e6163636573735f726571756573741a02763322380a06722d66756c6c120764656661756c741a04646573632a060a016c"
    "120176320b08a591fa950710959aef3a420a7265762d722d66756c6c2ae5030a12616c696365406578c3a46d706c652e636f"
    "6d120364626112096f7073e28094e4b8831801220c08c0b980d80610b1d1f9d6032a0608f28da3970732274772c3bcc39f65"
    "203c623e26e280a81b5b33316d20f09f988020227122205c20097461620a6e6c3a07776879206e6f7442190a090a05656d70"
    "747912000a0c0a02726112060a01310a01324a0c0a0a0a0373c3a412030a0178521e0a0764656661756c74120f657175616c"
    "73282261222c2262222918022001520618ffffffff0f5a0d0a0364626112060a040a02000162470a056361726f6c12036462"
    "611802220466696e652a0c08f0b980d8061080cab5ee01320d0a0b0a016b12060a01760a01773a0200014a080a02726c1202"
    "5254520608809cb8d80662170a046461766518032a0b088092b8c398feffffff0132006a056361726f6c6a046572696e7217"
    "0a0b6578616d706c652e636f6d12046e6f64651a026e31721b0a046c65616612086b7562655f706f641a016b22066e732f70"
    "6f647a04726f6f748a010608809ba297079201060880f89c9707a201100a046c6973741208546865204c697374aa01060880"
    "b1ef8607b2010b08e7c4b6980710c08db701ba01120a0872657175697265641202703112027032c00102ca01081204726563"
    "6f2001a01f07a11f0102030405060708fa7f03616263";

TEST(DecodeRequest, ShowsEachFieldOfARequestAsTeleportsOwnLibraryWritesIt) {
  types::AccessRequestV3 message;
  ASSERT_TRUE(message.ParseFromString(HexDecode(kWrittenByGo).value()));
  const std::string shown =
      R"x({"id":"r-full","user":"alice@exämple.com","roles":["dba","ops—七"],"state":"PENDING",)x"
      R"x("reason":"Grüße <b>&)x"
      "\u2028"
      R"x(\u001b[31m 😀 \"q\" \\ \ttab\nnl","resolve_reason":"why not",)x"
      R"x("created":"2026-11-20T10:11:12.987Z","expires":"2031-03-03T03:03:03.003Z",)x"
      R"x("access_expires":"2031-02-03T04:05:06.000Z","resources":[)x"
      R"x({"cluster":"example.com","kind":"node","name":"n1","sub_resource":""},)x"
      R"x({"cluster":"leaf","kind":"kube_pod","name":"k","sub_resource":"ns/pod"}],)x"
      R"x("suggested_reviewers":["carol","erin"],"reviews":[)x"
      R"x({"author":"carol","state":"APPROVED","reason":"fine","roles":["dba"],)x"
      R"x("created":"2026-11-20T10:12:00.500Z","annotations":{"k":["v","w"]},)x"
      R"x("assume_start_time":"2026-12-01T00:00:00.000Z"},)x"
      R"x({"author":"dave","state":"DENIED","reason":"","roles":[],"annotations":{}}],"thresholds":[)x"
      R"x({"name":"default","approve":2,"deny":1,"filter":"equals(\"a\",\"b\")"},)x"
      R"x({"name":"","approve":4294967295,"deny":0,"filter":""}],)x"
      R"x("annotations":{"system":{"sä":["x"]},"resolve":{"empty":[],"ra":["1","2"]}},)x"
      R"x("max_duration":"2031-02-03T00:00:00.000Z","session_ttl":"2031-02-02T00:00:00.000Z",)x"
      R"x("assume_start_time":"2030-01-01T00:00:00.000Z","login_hint":"root",)x"
      R"x("access_list":{"name":"list","title":"The List"},"kind":"LONG_TERM","revision":"rev-r-full"})x";
  EXPECT_EQ(access::RequestToJson(DecodeRequest(message)), shown);
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

// Teleport passes on what a requester typed, and one odd byte must not end the stream for everybody.
TEST(DecodeEvent, TakesTextThatIsNotUtf8AndRepairsIt) {
  proto::Event event;
  event.set_type(proto::PUT);
  types::AccessRequestV3& message = *event.mutable_accessrequest();
  message.mutable_metadata()->set_name("r1");
  types::AccessRequestSpecV3& spec = *message.mutable_spec();
  spec.set_requestreason("caf\xe9");
  spec.set_resolvereason("\xff");
  spec.set_user("\xc3");
  spec.add_roles("\xe2\x82");
  spec.add_suggestedreviewers("\xff");
  spec.set_loginhint("\xff");
  spec.add_requestedresourceids()->set_name("\xff");
  spec.add_reviews()->set_reason("\xff");
  (*spec.mutable_resolveannotations()->mutable_values())["k"].add_values("\xff");
  proto::Event read;
  ASSERT_TRUE(read.ParseFromString(event.SerializeAsString()));
  const access::AccessRequest request = DecodeEvent(read).value().request;
  const std::string mark = "\xef\xbf\xbd";
  EXPECT_EQ(request.reason, "caf" + mark);
  EXPECT_EQ(request.user, mark);
  EXPECT_EQ(request.roles.at(0), mark + mark) << "one for each byte, as Go writes it";
  for (const std::string& text : {request.resolve_reason, request.suggested_reviewers.at(0),
                                  request.login_hint, request.resources.at(0).name,
                                  request.reviews.at(0).reason, request.resolve_annotations.at("k").at(0)}) {
    EXPECT_EQ(text, mark);
  }
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
