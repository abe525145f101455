#include "store/record_codec.h"

#include <gtest/gtest.h>

namespace tw::store {
namespace {

access::KnownRequest Rich() {
  access::KnownRequest record;
  record.content.id = "0192e1c4";
  record.content.user = std::string("al\0ice\xff", 7);
  record.content.roles = {"dba", ""};
  record.content.state = static_cast<access::RequestState>(-2'000'000'000);
  record.content.created = SystemTime(std::chrono::microseconds(-62'135'596'800'000'000));
  record.content.expires = SystemTime::max();
  record.content.reviews = {
      {"bob", access::RequestState::kDenied, "no", {}, {}, SystemTime(), {{"k", {"a", "b"}}}}};
  record.content.resources = {{"c", "node", "n", "s"}};
  record.content.thresholds = {{"t", 4'000'000'000U, 1, ""}};
  record.content.access_list = access::AccessList{"n", "t"};
  record.content.metadata_id = std::numeric_limits<std::int64_t>::min();
  record.seq = 77;
  record.gone = true;
  record.content_known = false;
  record.reported_state = access::RequestState::kDenied;
  record.legacy_states = {{"default", "Denied"}};
  return record;
}

TEST(RecordCodec, KeepsExtremesAndBytesThatAreNotText) {
  const access::KnownRequest before = Rich();
  const auto after = DecodeRecord(EncodeRecord(before));
  ASSERT_TRUE(after);
  EXPECT_TRUE(access::SameContent(after->content, before.content));
  EXPECT_EQ(after->content.created, before.content.created);
  EXPECT_EQ(after->content.expires, before.content.expires);
  EXPECT_EQ(after->content.reviews, before.content.reviews);
  EXPECT_EQ(after->content.metadata_id, before.content.metadata_id);
  EXPECT_EQ(after->seq, 77);
  EXPECT_TRUE(after->gone);
  EXPECT_FALSE(after->content_known);
  EXPECT_EQ(after->reported_state, before.reported_state);
  EXPECT_EQ(after->legacy_states, before.legacy_states);
}

TEST(RecordCodec, IgnoresWhatALaterVersionAppends) {
  const auto after = DecodeRecord(EncodeRecord(Rich()) + "more fields");
  ASSERT_TRUE(after);
  EXPECT_EQ(after->seq, 77);
}

TEST(RecordCodec, RefusesAnUnknownFormat) {
  EXPECT_FALSE(DecodeRecord(""));
  EXPECT_NE(DecodeRecord("").error().hint, "") << "nothing is taken in until somebody acts";
  EXPECT_FALSE(DecodeRecord("\x02 something else"));
}

TEST(RecordCodec, RefusesARecordCutWithinTheRequest) {
  const std::string whole = EncodeRecord(Rich());
  EXPECT_FALSE(DecodeRecord(whole.substr(0, whole.size() / 2)));
}

TEST(RecordCodec, NeverReadsBeyondDamage) {
  const std::string whole = EncodeRecord(Rich());
  int refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    refused += DecodeRecord(whole.substr(0, i)) ? 0 : 1;
    for (const int bit : {0x01, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[i] =
          static_cast<char>(static_cast<unsigned char>(damaged[i]) ^ static_cast<unsigned char>(bit));
      refused += DecodeRecord(damaged) ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 10);
}

}  // namespace
}  // namespace tw::store
