// Lists: who sees what, filters, order, pages and lag (reference page sections 1.2, 2.6 and 4.4).
#include <gmock/gmock.h>

#include <algorithm>

#include "book_fixture.h"
#include "model/watch_filter.h"

namespace tw::sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class Listing : public BookFixture {};

TEST_F(Listing, ShowsEverythingToListAndReadOwnRequestsToTheRestAndNoError) {
  const std::string a = Ask("alice", {"dba"});
  const std::string b = Ask("bob", {"admin"});
  EXPECT_THAT(ListAs("plugin"), UnorderedElementsAre(a, b));
  EXPECT_THAT(ListAs("alice"), ElementsAre(a));
  EXPECT_THAT(ListAs("nobody"), IsEmpty());
  EXPECT_THAT(ListAs("alice", {.user = "bob"}), IsEmpty());
  EXPECT_TRUE(book_->List({.user = "nobody"}, {}).has_value());
}

TEST_F(Listing, ShowsToReviewersWhatTheyMayReview) {
  ASSERT_TRUE(users_->SetRights("dave", {"review:dba"}).has_value());
  const std::string a = Ask("alice", {"dba"});
  Ask("bob", {"admin"});
  EXPECT_THAT(ListAs("dave"), ElementsAre(a));
}

TEST_F(Listing, NeedsBothListAndRead) {
  Ask("alice", {"dba"});
  ASSERT_TRUE(users_->SetRights("notify", {"read"}).has_value());
  EXPECT_THAT(ListAs("notify"), IsEmpty());
}

TEST_F(Listing, ObeysDenyRulesFromRelease15On) {
  ASSERT_TRUE(users_->SetRights("notify", {"list", "read", "!list"}).has_value());
  ExpectCode(book_->List({.user = "notify"}, {}), Code::kPermissionDenied);
  Restart(Release::k13);
  ASSERT_TRUE(users_->SetRights("notify", {"list", "read", "!list"}).has_value());
  EXPECT_TRUE(book_->List({.user = "notify"}, {}).has_value());
}

TEST_F(Listing, FiltersByIdUserAndState) {
  const std::string a = Ask("alice", {"dba"});
  const std::string b = Ask("bob", {"dba"});
  ASSERT_TRUE(Set("plugin", b, State::kApproved).has_value());
  EXPECT_THAT(ListAs("plugin", {.id = a}), ElementsAre(a));
  EXPECT_THAT(ListAs("plugin", {.id = "no-such"}), IsEmpty());
  EXPECT_THAT(ListAs("plugin", {.user = "bob"}), ElementsAre(b));
  EXPECT_THAT(ListAs("plugin", {.state = State::kPending}), ElementsAre(a));
}

TEST_F(Listing, SearchesIdsUsersRolesAndResources) {
  const std::string a = Ask("alice", {"dba"});
  Ask("bob", {"admin"});
  EXPECT_THAT(ListAs("plugin", {.search = {"ALI"}}), ElementsAre(a));
  EXPECT_THAT(ListAs("plugin", {.search = {"dba", "bob"}}), IsEmpty());
}

TEST_F(Listing, KnowsTheScopes) {
  const std::string a = Ask("alice", {"dba"}, {{"two", 2, 1}});
  EXPECT_THAT(ListAs("alice", {.scope = Scope::kMine}), ElementsAre(a));
  EXPECT_THAT(ListAs("reviewer", {.scope = Scope::kNeedsReview}), ElementsAre(a));
  EXPECT_THAT(ListAs("reviewer", {.scope = Scope::kReviewed}), IsEmpty());
  ASSERT_TRUE(SubmitReview("reviewer", a, State::kApproved).has_value());
  EXPECT_THAT(ListAs("reviewer", {.scope = Scope::kNeedsReview}), IsEmpty());
  EXPECT_THAT(ListAs("reviewer", {.scope = Scope::kReviewed}), ElementsAre(a));
}

TEST_F(Listing, PagesWithoutLossInEveryOrder) {
  std::vector<std::string> all;
  for (int i = 0; i < 25; ++i) {
    all.push_back(Ask(i % 2 == 0 ? "alice" : "bob", {"dba"}));
    clock_.Advance(std::chrono::milliseconds(1));
  }
  for (const Sort sort : {Sort::kId, Sort::kCreated, Sort::kState, Sort::kUser}) {
    for (const bool descending : {false, true}) {
      std::vector<std::string> seen;
      ListQuery query{.sort = sort, .descending = descending, .limit = 7};
      do {
        const auto page = book_->List({.user = "plugin"}, query);
        ASSERT_TRUE(page.has_value());
        EXPECT_LE(page->requests.size(), 7U);
        for (const auto& request : page->requests) seen.push_back(request->id);
        query.start_key = page->next_key;
      } while (!query.start_key.empty());
      EXPECT_THAT(seen, ::testing::UnorderedElementsAreArray(all));
    }
  }
}

TEST_F(Listing, OrdersByCreationDescendingWhenAsked) {
  const std::string first = Ask("alice", {"dba"});
  clock_.Advance(std::chrono::seconds(1));
  const std::string second = Ask("alice", {"dba"});
  EXPECT_THAT(ListAs("plugin", {.sort = Sort::kCreated, .descending = true}), ElementsAre(second, first));
}

TEST_F(Listing, DropsWhatHasExpiredButStillFindsItById) {
  Restart(Release::k12);
  const std::string id = Ask("alice", {"dba"});
  clock_.Advance(std::chrono::hours(2));
  EXPECT_THAT(ListAs("plugin"), IsEmpty());
  EXPECT_THAT(ListAs("plugin", {.id = id}), ElementsAre(id));
}

TEST_F(Listing, LagsBehindOnDemandWhileLookUpsByIdDoNot) {
  const std::string before = Ask("alice", {"dba"});
  book_->SetListLag(std::chrono::seconds(10));
  const std::string later = Ask("bob", {"dba"});
  ASSERT_TRUE(book_->Delete({.user = "plugin"}, before).has_value());
  EXPECT_THAT(ListAs("plugin"), ElementsAre(before));
  EXPECT_THAT(ListAs("plugin", {.id = later}), ElementsAre(later));
  clock_.Advance(std::chrono::seconds(10));
  EXPECT_THAT(ListAs("plugin"), ElementsAre(later));
}

TEST(WatchFilter, KnowsIdUserAndStateOnly) {
  EXPECT_TRUE(ParseWatchFilter({{"id", "x"}, {"user", "alice"}, {"state", "APPROVED"}}).has_value());
  ExpectCode(ParseWatchFilter({{"state", "approved"}}), Code::kInvalidArgument);
  ExpectCode(ParseWatchFilter({{"role", "dba"}}), Code::kInvalidArgument);
}

TEST(WatchFilter, MatchesAllItsConditions) {
  Request request;
  request.user = "alice";
  request.state = State::kPending;
  EXPECT_TRUE(ParseWatchFilter({{"user", "alice"}, {"state", "PENDING"}})->Matches(request));
  EXPECT_FALSE(ParseWatchFilter({{"user", "alice"}, {"state", "DENIED"}})->Matches(request));
  EXPECT_TRUE(ParseWatchFilter({{"state", "NONE"}})->Matches(request));
}

}  // namespace
}  // namespace tw::sandbox
