// Refusal: the Auth Service's "no", as a gRPC code and its text. Answer<T>: a value or a Refusal. Pure
// values.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace tw::sandbox {

// The numbers are gRPC's (reference page section 4.5).
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

// "ok", "unavailable", "invalid-argument" ... in any case, with '-' or '_'. False: not one of them.
bool ParseCode(std::string_view text, Code& code);
std::string_view CodeName(Code code);
std::vector<std::string_view> CodeNames();

struct Refusal {
  Code code = Code::kUnknown;
  std::string message;
};

template <class T>
using Answer = tl::expected<T, Refusal>;
using Refused = tl::unexpected<Refusal>;

inline Refused Refuse(Code code, std::string message) {
  return Refused(Refusal{code, std::move(message)});
}
Refused BadArgument(std::string message);
Refused NotFound(std::string message);
Refused Denied(std::string message);
// access denied to perform action "<verb>" on "<resource>"
Refused RuleDenied(std::string_view verb, std::string_view resource);

}  // namespace tw::sandbox
