// SubmitAccessReview and the counting of reviews (reference page sections 4.2 and 4.3).
#include "book_fixture.h"
#include "model/thresholds.h"

namespace tw::sandbox {
namespace {

class Reviewing : public BookFixture {
 protected:
  // Two people who may review besides "reviewer" and "plugin".
  void SetUp() override {
    ASSERT_TRUE(users_->SetRights("carol", {"list", "read", "review"}).has_value());
    ASSERT_TRUE(users_->SetRights("dave", {"review:dba"}).has_value());
  }
};

TEST_F(Reviewing, OneApprovalDecidesByDefault) {
  const auto after = SubmitReview("reviewer", Ask("alice", {"dba"}), State::kApproved, "looks fine");
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ((*after)->state, State::kApproved);
  EXPECT_EQ((*after)->resolve_reason, "looks fine");
  EXPECT_EQ((*after)->expires, (*after)->access_expires);
  EXPECT_EQ((*after)->reviews.at(0).author, "reviewer");
  EXPECT_EQ((*after)->reviews.at(0).threshold_indexes, std::vector<std::uint32_t>{0});
  EXPECT_EQ((*after)->reviews.at(0).created, clock_.Now());
}

TEST_F(Reviewing, StaysPendingUntilTheThresholdIsReached) {
  const std::string id = Ask("alice", {"dba"}, {{"two", 2, 1}});
  EXPECT_EQ((*SubmitReview("reviewer", id, State::kApproved))->state, State::kPending);
  EXPECT_EQ((*SubmitReview("carol", id, State::kApproved))->state, State::kApproved);
}

TEST_F(Reviewing, ADenialBeforeTheApprovalsAreCompleteDenies) {
  const std::string id = Ask("alice", {"dba"}, {{"two", 2, 1}});
  ASSERT_TRUE(SubmitReview("reviewer", id, State::kApproved).has_value());
  const auto after = SubmitReview("carol", id, State::kDenied, "no");
  EXPECT_EQ((*after)->state, State::kDenied);
  EXPECT_EQ((*after)->resolve_reason, "no");
}

TEST_F(Reviewing, AThresholdWithoutADenialCountNeverDenies) {
  const std::string id = Ask("alice", {"dba"}, {{"approvals only", 1, 0}});
  EXPECT_EQ((*SubmitReview("reviewer", id, State::kDenied))->state, State::kPending);
}

TEST_F(Reviewing, EveryRoleNeedsAThresholdOfItsOwnSets) {
  Request request;
  request.roles = {"admin", "dba"};
  request.thresholds = {{"a", 1, 1}, {"b", 2, 2}};
  request.role_thresholds = {{"admin", {{1}}}, {"dba", {{0}}}};
  Review review;
  review.proposed = State::kApproved;
  review.threshold_indexes = {0, 1};
  request.reviews = {review};
  EXPECT_FALSE(CountReviews(request).has_value()) << "admin still needs a second approval";
  request.reviews.push_back(review);
  ASSERT_TRUE(CountReviews(request).has_value());
  EXPECT_EQ(CountReviews(request)->state, State::kApproved);
}

TEST_F(Reviewing, NobodyReviewsTwice) {
  const std::string id = Ask("alice", {"dba"}, {{"two", 2, 2}});
  ASSERT_TRUE(SubmitReview("reviewer", id, State::kApproved).has_value());
  ExpectRefused(SubmitReview("reviewer", id, State::kDenied), Code::kPermissionDenied,
                R"(user "reviewer" has already reviewed this request)");
}

TEST_F(Reviewing, NeedsAReviewRule) {
  ExpectRefused(SubmitReview("notify", Ask("alice", {"dba"}), State::kApproved), Code::kPermissionDenied,
                R"(user "notify" cannot submit reviews)");
}

TEST_F(Reviewing, TheCommunityReleaseKnowsNoReviewRules) {
  Restart(Release::k8);
  ExpectRefused(SubmitReview("plugin", Ask("alice", {"dba"}), State::kApproved), Code::kPermissionDenied,
                R"(user "plugin" cannot submit reviews)");
}

TEST_F(Reviewing, TheRuleMustCoverEveryRole) {
  const std::string id = Ask("alice", {"admin", "dba"});
  ExpectRefused(SubmitReview("dave", id, State::kApproved), Code::kPermissionDenied,
                "user \"dave\" cannot review request \"" + id + "\"");
}

TEST_F(Reviewing, NobodySpeaksForAnother) {
  ReviewSubmission submission;
  submission.id = Ask("alice", {"dba"});
  submission.review.author = "carol";
  submission.review.proposed = State::kApproved;
  ExpectRefused(book_->SubmitReview({.user = "reviewer"}, submission), Code::kPermissionDenied,
                R"(user "reviewer" cannot submit reviews on behalf of "carol")");
  EXPECT_TRUE(book_->SubmitReview({.user = "", .built_in_admin = true}, submission).has_value());
}

TEST_F(Reviewing, NamesTheUnknownRequest) {
  ExpectRefused(SubmitReview("reviewer", "no-such", State::kApproved), Code::kNotFound,
                R"(cannot apply review to access request "no-such" (not found))");
}

TEST_F(Reviewing, RefusesStatesThatAReviewCannotPropose) {
  for (const State state : {State::kNone, State::kPending, State::kPromoted}) {
    ExpectCode(SubmitReview("reviewer", Ask("alice", {"dba"}), state), Code::kInvalidArgument);
  }
}

TEST_F(Reviewing, AnswersUnimplementedForRolesAndAnnotations) {
  ReviewSubmission submission;
  submission.id = Ask("alice", {"admin", "dba"});
  submission.review.proposed = State::kApproved;
  submission.roles = {"dba"};
  ExpectCode(book_->SubmitReview({.user = "reviewer"}, submission), Code::kUnimplemented);
  submission.roles.clear();
  submission.has_annotations = true;
  ExpectCode(book_->SubmitReview({.user = "reviewer"}, submission), Code::kUnimplemented);
}

TEST_F(Reviewing, ALateReviewIsRefusedFromRelease14OnAndWithoutEffectBefore) {
  std::string id = Ask("alice", {"dba"});
  ASSERT_TRUE(Set("plugin", id, State::kApproved).has_value());
  ExpectRefused(SubmitReview("reviewer", id, State::kDenied), Code::kPermissionDenied,
                "the access request has been already approved");
  Restart(Release::k12);
  id = Ask("alice", {"dba"});
  ASSERT_TRUE(Set("plugin", id, State::kApproved).has_value());
  const auto after = SubmitReview("reviewer", id, State::kDenied);
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ((*after)->state, State::kApproved);
}

}  // namespace
}  // namespace tw::sandbox
