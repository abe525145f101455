// Making, removing and expiring of access requests.
#include <gmock/gmock.h>

#include "book_fixture.h"

namespace tw::sandbox {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;

class BookRules : public BookFixture {};

TEST_F(BookRules, GivesANewRequestSortedRolesADefaultThresholdAndAnEnd) {
  const RequestPtr request = book_->Find(Ask("alice", {"dba", "admin", "dba"}));
  ASSERT_NE(request, nullptr);
  EXPECT_THAT(request->roles, ElementsAre("admin", "dba"));
  EXPECT_EQ(request->state, State::kPending);
  EXPECT_EQ(request->created, clock_.Now());
  EXPECT_EQ(request->access_expires, clock_.Now() + hours(30));
  EXPECT_EQ(request->expires, request->access_expires) << "a week, cut short by the end of the access";
  ASSERT_EQ(request->thresholds.size(), 1U);
  EXPECT_EQ(request->thresholds[0].name, "default");
  EXPECT_EQ(request->role_thresholds.at("dba"), (std::vector<std::vector<std::uint32_t>>{{0}}));
}

TEST_F(BookRules, EndsTheAccessAtTheLongestDurationAskedFor) {
  for (const auto& [asked, given] : {std::pair{hours(2), hours(2)}, {hours(48), hours(30)}}) {
    NewRequest wanted;
    wanted.user = "alice";
    wanted.roles = {"dba"};
    wanted.max_duration = clock_.Now() + asked;
    const auto made = book_->Create({.user = "alice"}, wanted);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ((*made)->access_expires, clock_.Now() + given);
    EXPECT_EQ((*made)->max_duration, (*made)->access_expires);
    EXPECT_EQ((*made)->expires, (*made)->access_expires);
  }
}

TEST_F(BookRules, LetsOldReleasesWaitOneHourOnly) {
  Restart(Release::k6);
  EXPECT_EQ(book_->Find(Ask("alice", {"dba"}))->expires, clock_.Now() + hours(1));
}

TEST_F(BookRules, KeepsTheIdOfTheClientUntilRelease13AndMakesItsOwnLater) {
  const std::string id = "5f1f3bd0-0b6f-4a5a-9a3e-1c9d6a0d9b11";
  for (const auto& [release, kept] :
       {std::pair{Release::k6, true}, {Release::k13, true}, {Release::k16, false}}) {
    Restart(release);
    NewRequest wanted;
    wanted.id = id;
    wanted.user = "alice";
    wanted.roles = {"dba"};
    const auto made = book_->Create({.user = "alice"}, wanted);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ((*made)->id == id, kept) << static_cast<int>(release);
  }
}

TEST_F(BookRules, MakesTimeOrderedIdsFromRelease16On) {
  const std::string first = Ask("alice", {"dba"});
  clock_.Advance(std::chrono::milliseconds(2));
  const std::string second = Ask("alice", {"dba"});
  EXPECT_EQ(first[14], '7');
  EXPECT_LT(first, second);
}

TEST_F(BookRules, RefusesRolesThatTheUserMayNotRequest) {
  NewRequest wanted;
  wanted.user = "alice";
  wanted.roles = {"root"};
  ExpectRefused(book_->Create({.user = "alice"}, wanted), Code::kInvalidArgument,
                R"(user "alice" can not request role "root")");
}

TEST_F(BookRules, RefusesRequestsMadeForSomeoneElse) {
  NewRequest wanted;
  wanted.user = "bob";
  wanted.roles = {"dba"};
  ExpectRefused(book_->Create({.user = "alice"}, wanted), Code::kPermissionDenied,
                R"(access denied to perform action "create" on "access_request")");
}

TEST_F(BookRules, RefusesReasonsOver4096BytesFromRelease10On) {
  NewRequest wanted;
  wanted.user = "alice";
  wanted.roles = {"dba"};
  wanted.reason = std::string(4096, 'x');
  EXPECT_TRUE(book_->Create({.user = "alice"}, wanted).has_value());
  wanted.reason += 'x';
  ExpectCode(book_->Create({.user = "alice"}, wanted), Code::kInvalidArgument);
  Restart(Release::k8);
  EXPECT_TRUE(book_->Create({.user = "alice"}, wanted).has_value());
}

TEST_F(BookRules, AnswersADryRunWithoutKeepingIt) {
  NewRequest wanted;
  wanted.user = "alice";
  wanted.roles = {"dba"};
  wanted.dry_run = true;
  EXPECT_TRUE(book_->Create({.user = "alice"}, wanted).has_value());
  EXPECT_EQ(book_->size(), 0U);
  EXPECT_TRUE(changes_.empty());
}

TEST_F(BookRules, TellsEveryChangeInOrder) {
  const std::string id = Ask("alice", {"dba"});
  ASSERT_TRUE(Set("plugin", id, State::kApproved).has_value());
  ASSERT_TRUE(book_->Delete({.user = "plugin"}, id).has_value());
  ASSERT_EQ(changes_.size(), 3U);
  EXPECT_TRUE(changes_[0].created);
  EXPECT_EQ(changes_[1].request->state, State::kApproved);
  EXPECT_FALSE(changes_[1].created);
  EXPECT_EQ(changes_[2].kind, ChangeKind::kDelete);
  EXPECT_EQ(changes_[2].id, id);
}

TEST_F(BookRules, ChangesOnlyTheRevisionWhenTouched) {
  const std::string id = Ask("alice", {"dba"});
  const RequestPtr before = book_->Find(id);
  ASSERT_TRUE(book_->Touch(id).has_value());
  const RequestPtr after = book_->Find(id);
  EXPECT_NE(before->revision, after->revision);
  EXPECT_EQ(before->created, after->created);
  EXPECT_EQ(changes_.size(), 2U);
}

TEST_F(BookRules, CountsMetadataIdsUpToRelease16AndRevisionsFromRelease15) {
  EXPECT_EQ(book_->Find(Ask("alice", {"dba"}))->metadata_id, 0);
  Restart(Release::k16);
  EXPECT_NE(book_->Find(Ask("alice", {"dba"}))->metadata_id, 0);
  EXPECT_NE(book_->Find(Ask("alice", {"dba"}))->revision, "");
  Restart(Release::k13);
  EXPECT_EQ(book_->Find(Ask("alice", {"dba"}))->revision, "");
}

TEST_F(BookRules, RefusesToDeleteWhatIsNotThereOrWithoutTheRight) {
  ExpectRefused(book_->Delete({.user = "plugin"}, "x"), Code::kNotFound,
                R"(cannot delete access request "x" (not found))");
  ExpectRefused(book_->Delete({.user = "notify"}, "x"), Code::kPermissionDenied,
                R"(access denied to perform action "delete" on "access_request")");
}

TEST_F(BookRules, RemovesARequestAfterItsEndAndRelease18AfterFortySecondsMore) {
  for (const auto& [release, grace] : {std::pair{Release::k16, seconds(0)}, {Release::k18, seconds(40)}}) {
    Restart(release);
    NewRequest wanted;
    wanted.user = "alice";
    wanted.roles = {"dba"};
    wanted.life = minutes(1);
    ASSERT_TRUE(book_->Create({.user = "alice"}, wanted).has_value());
    clock_.Advance(minutes(1) + grace - seconds(1));
    book_->RemoveExpired();
    EXPECT_EQ(book_->size(), 1U);
    clock_.Advance(seconds(1));
    book_->RemoveExpired();
    EXPECT_EQ(book_->size(), 0U);
    EXPECT_EQ(changes_.back().kind, ChangeKind::kDelete);
  }
}

TEST_F(BookRules, ExpiringByHandShowsTheNewEndBeforeTheRemoval) {
  const std::string id = Ask("alice", {"dba"});
  ASSERT_TRUE(book_->Expire(id).has_value());
  ASSERT_EQ(changes_.size(), 3U);
  EXPECT_EQ(changes_[1].request->expires, clock_.Now());
  EXPECT_EQ(changes_[2].kind, ChangeKind::kDelete);
}

}  // namespace
}  // namespace tw::sandbox
