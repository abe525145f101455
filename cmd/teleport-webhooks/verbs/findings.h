// Findings of `check`: one line each, with what to do.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/invocation.h"
#include "teleport/diagnose.h"

namespace tw::cli {

using teleport::Finding;
using teleport::Severity;

inline Finding Fine(std::string what) {
  return {Severity::kFine, std::move(what), {}, ErrorKind::kFailure};
}
inline Finding Warning(std::string what, std::string remedy = {}) {
  return {Severity::kWarning, std::move(what), std::move(remedy), ErrorKind::kFailure};
}
inline Finding Problem(ErrorKind kind, std::string what, std::string remedy = {}) {
  return {Severity::kProblem, std::move(what), std::move(remedy), kind};
}
inline Finding Problem(const Error& error) {
  return Problem(error.kind, error.message, error.hint);
}

// Prints findings as they come and remembers what they mean for the exit code.
class FindingPrinter {
 public:
  explicit FindingPrinter(Invocation& invocation) : invocation_(invocation) {}

  // A look that was cut short (kCancelled) found nothing and is not told.
  void Add(const std::string& area, const Finding& finding);
  void Add(const std::string& area, const std::vector<Finding>& findings);
  // Ends the output (the array of -o json) and gives the exit code: that of the first problem, 1 when a
  // line could not be written or for warnings with --strict, else 0.
  int Finish();

 private:
  void Write(std::string_view line);

  Invocation& invocation_;
  Status written_;  // the first failure stays
  std::vector<std::string> json_;
  int exit_code_ = 0;
  bool warned_ = false;
};

}  // namespace tw::cli
