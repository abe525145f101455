// Plugin data (reference page section 2.10).
#include "model/plugin_data.h"

#include "book_fixture.h"

namespace tw::sandbox {
namespace {

class PluginDataTest : public BookFixture {
 protected:
  Answer<void> Update(const std::string& caller, const std::string& id, DataMap set, DataMap expect = {}) {
    return shelf_.Update({.user = caller},
                         {"access_request", id, "webhooks", std::move(set), std::move(expect)});
  }
  DataMap Read(const std::string& id) {
    const auto found = shelf_.Get({.user = "plugin"}, "access_request", id, "webhooks");
    return found && !found->empty() ? found->front().entries.at("webhooks") : DataMap{};
  }

  PluginDataShelf shelf_{clock_, *book_, *users_};
};

TEST_F(PluginDataTest, KeepsKeysAndDropsThoseSetEmpty) {
  const std::string id = Ask("alice", {"dba"});
  ASSERT_TRUE(Update("plugin", id, {{"a", "1"}, {"b", "2"}}).has_value());
  ASSERT_TRUE(Update("plugin", id, {{"a", ""}}).has_value());
  EXPECT_EQ(Read(id), (DataMap{{"b", "2"}}));
  ASSERT_TRUE(Update("plugin", id, {{"b", ""}}).has_value());
  EXPECT_TRUE(shelf_.Get({.user = "plugin"}, "access_request", id, "")->empty());
}

TEST_F(PluginDataTest, WritesNothingWhenTheExpectationIsNotMet) {
  const std::string id = Ask("alice", {"dba"});
  ASSERT_TRUE(Update("plugin", id, {{"a", "1"}}, {{"a", ""}}).has_value());
  ExpectRefused(Update("plugin", id, {{"a", "2"}}, {{"a", "7"}}), Code::kFailedPrecondition,
                R"(expectations not met for field "a")");
  EXPECT_EQ(Read(id), (DataMap{{"a", "1"}}));
}

TEST_F(PluginDataTest, RefusesUnknownKindsAndRequests) {
  ExpectCode(shelf_.Update({.user = "plugin"}, {"user", "x", "webhooks", {{"a", "1"}}, {}}),
             Code::kInvalidArgument);
  ExpectCode(Update("plugin", "no-such", {{"a", "1"}}), Code::kNotFound);
}

TEST_F(PluginDataTest, NeedsUpdateToWriteAndListAndReadToRead) {
  const std::string id = Ask("alice", {"dba"});
  ExpectCode(Update("notify", id, {{"a", "1"}}), Code::kPermissionDenied);
  EXPECT_TRUE(shelf_.Get({.user = "notify"}, "access_request", id, "").has_value());
  ExpectCode(shelf_.Get({.user = "nobody"}, "access_request", id, ""), Code::kPermissionDenied);
}

TEST_F(PluginDataTest, OutlivesTheRequestByAnHourAfterItsAccessEnds) {
  const std::string id = Ask("alice", {"dba"});
  ASSERT_TRUE(Update("plugin", id, {{"a", "1"}}).has_value());
  ASSERT_TRUE(book_->Delete({.user = "plugin"}, id).has_value());
  EXPECT_EQ(Read(id), (DataMap{{"a", "1"}}));
  clock_.Advance(std::chrono::hours(31));
  EXPECT_EQ(Read(id), DataMap{});
}

}  // namespace
}  // namespace tw::sandbox
