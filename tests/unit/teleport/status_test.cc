#include "teleport/status.h"

#include <gtest/gtest.h>

namespace tw::teleport {
namespace {

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(StatusError, NamesTheMissingRight) {
  const Error error = StatusError(Call::kSetState, Code::kPermissionDenied,
                                  "access denied to perform action \"update\" on \"access_request\"");
  EXPECT_EQ(error.kind, ErrorKind::kCredentials);
  EXPECT_TRUE(Has(error.message, "update on access_request")) << error.message;
  EXPECT_TRUE(Has(error.hint, "update on access_request")) << error.hint;
}

TEST(StatusError, NamesTheRightThatACallNeedsWhenTheServerDoesNot) {
  EXPECT_TRUE(Has(StatusError(Call::kWatch, Code::kPermissionDenied, "access denied").message,
                  "read on access_request"));
  EXPECT_TRUE(Has(StatusError(Call::kSetState, Code::kPermissionDenied, "access denied").message,
                  "update on access_request"));
  EXPECT_TRUE(
      Has(StatusError(Call::kReview, Code::kPermissionDenied, "user \"p\" cannot submit reviews").message,
          "allow.review_requests"));
}

TEST(StatusError, ExplainsMfaForAdministrativeActions) {
  const Error error = StatusError(Call::kSetState, Code::kPermissionDenied,
                                  "admin-level API request requires MFA verification");
  EXPECT_EQ(error.kind, ErrorKind::kCredentials);
  EXPECT_TRUE(Has(error.message, "MFA for administrative actions"));
  EXPECT_TRUE(Has(error.hint, "bot"));
  EXPECT_FALSE(Has(error.message, "update on access_request")) << "no right is missing";
}

TEST(StatusError, TellsConflictsFromRefusals) {
  const auto kind = [](Call call, Code code, const char* text) { return StatusError(call, code, text).kind; };
  EXPECT_EQ(
      kind(Call::kSetState, Code::kInvalidArgument, "cannot set request-state \"APPROVED\" (already denied)"),
      ErrorKind::kConflict);
  EXPECT_EQ(kind(Call::kReview, Code::kPermissionDenied, "the access request has been already approved"),
            ErrorKind::kConflict);
  EXPECT_EQ(kind(Call::kReview, Code::kPermissionDenied, "user \"p\" has already reviewed this request"),
            ErrorKind::kConflict);
  EXPECT_EQ(kind(Call::kReview, Code::kPermissionDenied, "user \"p\" cannot review request \"r\""),
            ErrorKind::kCredentials);
  EXPECT_EQ(kind(Call::kSetState, Code::kPermissionDenied,
                 "directly updating the state of your own access requests is not permitted"),
            ErrorKind::kCredentials);
  EXPECT_EQ(kind(Call::kSetState, Code::kInvalidArgument, "cannot override roles when setting state: DENIED"),
            ErrorKind::kUsage);
}

TEST(StatusError, ReadsUnimplementedReviewsByTheirText) {
  const Error missing = StatusError(Call::kReview, Code::kUnimplemented,
                                    "unknown method SubmitAccessReview for service proto.AuthService");
  EXPECT_TRUE(Has(missing.message, "6.1"));
  const Error roles =
      StatusError(Call::kReview, Code::kUnimplemented, "role subselection is not yet supported in review");
  EXPECT_EQ(roles.kind, ErrorKind::kUsage);
  EXPECT_FALSE(Has(roles.message, "6.1"));
}

TEST(StatusError, SaysWhatMayWorkLater) {
  for (const Code code : {Code::kUnavailable, Code::kDeadlineExceeded, Code::kFailedPrecondition,
                          Code::kUnknown, Code::kResourceExhausted, Code::kInternal, Code::kOk}) {
    EXPECT_TRUE(StatusError(Call::kWatch, code, "x").retryable) << static_cast<int>(code);
  }
  for (const Code code : {Code::kFailedPrecondition, Code::kAborted}) {
    EXPECT_EQ(StatusError(Call::kSetState, code, "x").kind, ErrorKind::kUnreachable)
        << "a conflict would say that somebody decided";
  }
  EXPECT_TRUE(StatusError(Call::kWatch, Code::kInvalidArgument, "buffer overflow").retryable);
  EXPECT_FALSE(StatusError(Call::kSetState, Code::kNotFound, "x").retryable);
}

TEST(StatusError, EscapesWhatAServerSays) {
  EXPECT_FALSE(Has(StatusError(Call::kPing, Code::kUnknown, "a\x1b[31mb").message, "\x1b"));
}

}  // namespace
}  // namespace tw::teleport
