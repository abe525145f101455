#include "model/refusal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tw::sandbox {
namespace {

struct NamedCode {
  std::string_view name;
  Code code;
};

constexpr std::array<NamedCode, 17> kCodes{{
    {"ok", Code::kOk},
    {"cancelled", Code::kCancelled},
    {"unknown", Code::kUnknown},
    {"invalid-argument", Code::kInvalidArgument},
    {"deadline-exceeded", Code::kDeadlineExceeded},
    {"not-found", Code::kNotFound},
    {"already-exists", Code::kAlreadyExists},
    {"permission-denied", Code::kPermissionDenied},
    {"resource-exhausted", Code::kResourceExhausted},
    {"failed-precondition", Code::kFailedPrecondition},
    {"aborted", Code::kAborted},
    {"out-of-range", Code::kOutOfRange},
    {"unimplemented", Code::kUnimplemented},
    {"internal", Code::kInternal},
    {"unavailable", Code::kUnavailable},
    {"data-loss", Code::kDataLoss},
    {"unauthenticated", Code::kUnauthenticated},
}};

}  // namespace

bool ParseCode(std::string_view text, Code& code) {
  std::string name = AsciiLower(text);
  std::ranges::replace(name, '_', '-');
  const auto* found = std::ranges::find(kCodes, std::string_view(name), &NamedCode::name);
  if (found == kCodes.end()) return false;
  code = found->code;
  return true;
}

std::string_view CodeName(Code code) {
  const auto* found = std::ranges::find(kCodes, code, &NamedCode::code);
  return found == kCodes.end() ? "unknown" : found->name;
}

std::vector<std::string_view> CodeNames() {
  std::vector<std::string_view> out;
  for (const NamedCode& code : kCodes) out.push_back(code.name);
  return out;
}

Refused BadArgument(std::string message) {
  return Refuse(Code::kInvalidArgument, std::move(message));
}
Refused NotFound(std::string message) {
  return Refuse(Code::kNotFound, std::move(message));
}
Refused Denied(std::string message) {
  return Refuse(Code::kPermissionDenied, std::move(message));
}

Refused RuleDenied(std::string_view verb, std::string_view resource) {
  return Denied(fmt::format(R"(access denied to perform action "{}" on "{}")", verb, resource));
}

}  // namespace tw::sandbox
