// SetAccessRequestState: the table of transitions and the checks around it (reference page section 4.1).
#include <gmock/gmock.h>

#include "book_fixture.h"

namespace tw::sandbox {
namespace {

class Deciding : public BookFixture {
 protected:
  std::string In(State state) {
    const std::string id = Ask("alice", {"admin", "dba"});
    if (state == State::kPromoted) {
      EXPECT_TRUE(book_->Promote(id, {"list", "Title"}, "").has_value());
    } else if (state != State::kPending) {
      EXPECT_TRUE(Set("plugin", id, state).has_value());
    }
    return id;
  }
};

TEST_F(Deciding, FollowsTheTableOfTransitions) {
  const auto ok = Code::kOk;
  const auto bad = Code::kInvalidArgument;
  struct Row {
    State from;
    Code approved, denied, pending, none, promoted;
  };
  for (const Row& row :
       {Row{State::kPending, ok, ok, ok, bad, bad}, Row{State::kApproved, ok, ok, ok, bad, bad},
        Row{State::kDenied, bad, ok, bad, bad, bad}, Row{State::kPromoted, ok, ok, ok, bad, bad}}) {
    for (const auto& [to, want] : {std::pair{State::kApproved, row.approved},
                                   {State::kDenied, row.denied},
                                   {State::kPending, row.pending},
                                   {State::kNone, row.none},
                                   {State::kPromoted, row.promoted}}) {
      const auto answer = Set("plugin", In(row.from), to);
      EXPECT_EQ(answer ? Code::kOk : answer.error().code, want)
          << StateName(row.from) << " to " << StateName(to);
    }
  }
}

TEST_F(Deciding, SaysAlreadyDeniedInTeleportsWords) {
  ExpectRefused(Set("plugin", In(State::kDenied), State::kApproved), Code::kInvalidArgument,
                R"(cannot set request-state "APPROVED" (already denied))");
}

TEST_F(Deciding, RefusesAnApprovedRequestGoingBackToPendingWithAReason) {
  ExpectCode(Set("plugin", In(State::kApproved), State::kPending, "why"), Code::kInvalidArgument);
}

TEST_F(Deciding, OverwritesTheReasonWhenApprovedAgain) {
  const std::string id = In(State::kPending);
  ASSERT_TRUE(Set("plugin", id, State::kApproved, "first").has_value());
  ASSERT_TRUE(Set("plugin", id, State::kApproved, "second").has_value());
  EXPECT_EQ(book_->Find(id)->resolve_reason, "second");
}

TEST_F(Deciding, MovesTheEndOfAnApprovedRequestToTheEndOfItsAccessAndLeavesADeniedOneAlone) {
  Restart(Release::k8);
  const std::string approved = In(State::kApproved);
  EXPECT_EQ(book_->Find(approved)->expires, book_->Find(approved)->access_expires);
  const std::string denied = In(State::kDenied);
  EXPECT_EQ(book_->Find(denied)->expires, clock_.Now() + std::chrono::hours(1));
}

TEST_F(Deciding, NamesTheUnknownRequest) {
  ExpectRefused(Set("plugin", "no-such", State::kApproved), Code::kNotFound,
                R"(cannot set state of access request "no-such" (not found))");
}

TEST_F(Deciding, RefusesAnEmptyId) {
  Restart(Release::k12);
  ExpectCode(Set("plugin", "", State::kApproved), Code::kInvalidArgument);
}

TEST_F(Deciding, NeedsTheUpdateVerb) {
  for (const char* user : {"notify", "reviewer", "nobody", "alice", "stranger"}) {
    ExpectRefused(Set(user, In(State::kPending), State::kApproved), Code::kPermissionDenied,
                  R"(access denied to perform action "update" on "access_request")");
  }
}

TEST_F(Deciding, RefusesOnesOwnRequestFromRelease16On) {
  NewRequest own;
  own.user = "plugin";
  own.roles = {"dba"};
  for (const auto& [release, refused] : {std::pair{Release::k13, false}, {Release::k16, true}}) {
    Restart(release);
    const auto made = book_->Create({.user = "root", .built_in_admin = true}, own);
    ASSERT_TRUE(made.has_value());
    const auto answer = Set("plugin", (*made)->id, State::kApproved);
    if (!refused) {
      EXPECT_TRUE(answer.has_value());
      continue;
    }
    ExpectRefused(answer, Code::kPermissionDenied,
                  "directly updating the state of your own access requests is not permitted");
  }
}

TEST_F(Deciding, RefusesCertificatesWithActiveRequestsFromRelease16On) {
  StateChange change;
  change.id = In(State::kPending);
  change.state = State::kApproved;
  ExpectCode(book_->SetState({.user = "plugin", .active_requests = true}, change), Code::kPermissionDenied);
}

TEST_F(Deciding, HidesTheRequestFromADeciderWithoutListFromRelease16On) {
  ASSERT_TRUE(users_->SetRights("plugin", {"update"}).has_value());
  ExpectCode(Set("plugin", In(State::kPending), State::kApproved), Code::kNotFound);
}

TEST_F(Deciding, TakesASubsetOfTheRolesOnly) {
  StateChange change;
  change.id = In(State::kPending);
  change.state = State::kApproved;
  change.roles = {"editor"};
  ExpectRefused(book_->SetState({.user = "plugin"}, change), Code::kInvalidArgument,
                "role \"editor\" not in original request, overrides must be a subset of original role list");
  change.roles = {"dba"};
  ASSERT_TRUE(book_->SetState({.user = "plugin"}, change).has_value());
  EXPECT_THAT(book_->Find(change.id)->roles, ::testing::ElementsAre("dba"));
}

TEST_F(Deciding, RefusesRolesInADenial) {
  StateChange change;
  change.id = In(State::kPending);
  change.state = State::kDenied;
  change.roles = {"dba"};
  ExpectRefused(book_->SetState({.user = "plugin"}, change), Code::kInvalidArgument,
                "cannot override roles when setting state: DENIED");
}

TEST_F(Deciding, RefusesAResolveReasonOver4096Bytes) {
  ExpectCode(Set("plugin", In(State::kPending), State::kApproved, std::string(4097, 'x')),
             Code::kInvalidArgument);
}

TEST_F(Deciding, ChecksTheStartTimeAgainstCreationAndEndOfAccess) {
  StateChange change;
  change.id = In(State::kPending);
  change.state = State::kApproved;
  const RequestPtr request = book_->Find(change.id);
  for (const SystemTime bad : {request->created - std::chrono::seconds(1), request->access_expires}) {
    change.assume_start_time = bad;
    ExpectCode(book_->SetState({.user = "plugin"}, change), Code::kInvalidArgument);
  }
  change.assume_start_time = request->created + std::chrono::hours(1);
  EXPECT_TRUE(book_->SetState({.user = "plugin"}, change).has_value());
  EXPECT_EQ(book_->Find(change.id)->assume_start_time, change.assume_start_time);
}

TEST_F(Deciding, DemandsMfaOfEveryoneNotExempt) {
  book_->RequireMfa(true);
  const std::string id = In(State::kPending);
  ExpectRefused(Set("plugin", id, State::kApproved), Code::kPermissionDenied,
                "admin-level API request requires MFA verification");
  ExpectCode(SubmitReview("plugin", id, State::kApproved), Code::kPermissionDenied);
  ExpectCode(book_->Delete({.user = "plugin"}, id), Code::kPermissionDenied);
  StateChange change;
  change.id = id;
  change.state = State::kApproved;
  EXPECT_TRUE(book_->SetState({.user = "plugin", .mfa_exempt = true}, change).has_value());
}

TEST_F(Deciding, PromotesFromRelease15On) {
  const std::string id = Ask("alice", {"dba"});
  ASSERT_TRUE(book_->Promote(id, {"oncall", "On call"}, "joined").has_value());
  EXPECT_EQ(book_->Find(id)->state, State::kPromoted);
  EXPECT_EQ(book_->Find(id)->access_list->title, "On call");
  Restart(Release::k13);
  ExpectCode(book_->Promote(Ask("alice", {"dba"}), {"oncall", ""}, ""), Code::kInvalidArgument);
}

}  // namespace
}  // namespace tw::sandbox
