// gRPC status codes as errors of this program. Pure; knows the numbers and texts of reference page
// sections 4.1, 4.2, 4.5 and 5.9, not the gRPC library.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace tw::teleport {

// Canonical codes (grpc/status.h has the same numbers).
enum class Code {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// What was being done: decides which right is meant and how INVALID_ARGUMENT is read.
enum class Call { kPing, kWatch, kList, kGet, kSetState, kReview, kGetRole };

std::string_view CallWords(Call call);  // "watch access requests", "set the state of the access request", ...

// `message` is Teleport's own text and ends up, with control characters escaped, in the error.
Error StatusError(Call call, Code code, std::string_view message);

}  // namespace tw::teleport
