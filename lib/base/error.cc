#include "base/error.h"

namespace tw {

int ExitCode(ErrorKind kind) {
  return static_cast<int>(kind);
}

std::string_view ErrorCode(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kFailure:
      return "failure";
    case ErrorKind::kUsage:
      return "usage";
    case ErrorKind::kConfig:
      return "config";
    case ErrorKind::kCredentials:
      return "credentials";
    case ErrorKind::kNotFound:
      return "not_found";
    case ErrorKind::kConflict:
      return "conflict";
    case ErrorKind::kUnreachable:
      return "unreachable";
    case ErrorKind::kReceiver:
      return "receiver";
    case ErrorKind::kMixed:
      return "mixed";
    case ErrorKind::kTimeout:
      return "timeout";
    case ErrorKind::kCancelled:
      return "cancelled";
  }
  return "failure";
}

Error Error::Within(std::string_view context) const {
  Error copy = *this;
  copy.message = std::string(context) + ": " + message;
  return copy;
}

}  // namespace tw
