// Error: what went wrong, for a person and for the exit code. Value type, no ownership, any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace tw {

// The closed list of ways to fail. The numbers are the exit codes of the program.
enum class ErrorKind {
  kFailure = 1,      // not named below
  kUsage = 2,        // wrong arguments
  kConfig = 3,       // wrong configuration
  kCredentials = 4,  // no, expired or insufficient credentials or rights
  kNotFound = 5,     // unknown access request or delivery
  kConflict = 6,     // already decided the other way; a review without effect
  kUnreachable = 7,  // Teleport could not be reached
  kReceiver = 8,     // an endpoint refused, or its retries are used up
  kMixed = 9,        // several ids that failed in different ways
  kTimeout = 124,    // our own time limit passed
  kCancelled = 130,  // asked to stop
};

int ExitCode(ErrorKind kind);
// A short stable word for machines, e.g. "not_found".
std::string_view ErrorCode(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kFailure;
  std::string message;     // what happened and where; never holds a secret
  std::string hint;        // what to do about it; may be empty
  bool retryable = false;  // the same call may succeed later

  static Error Failure(std::string message, std::string hint = {}) {
    return {ErrorKind::kFailure, std::move(message), std::move(hint), false};
  }
  static Error Usage(std::string message, std::string hint = {}) {
    return {ErrorKind::kUsage, std::move(message), std::move(hint), false};
  }
  static Error Config(std::string message, std::string hint = {}) {
    return {ErrorKind::kConfig, std::move(message), std::move(hint), false};
  }
  static Error Cancelled() { return {ErrorKind::kCancelled, "cancelled", {}, true}; }

  // The same error with words in front of the message.
  [[nodiscard]] Error Within(std::string_view context) const;
};

}  // namespace tw
