// Tally: the exit code of a verb that works on several ids.
#pragma once

#include <optional>

#include "base/error.h"

namespace tw::cli {

// All well: 0. All failed the same way: that code. Anything mixed: 9.
class Tally {
 public:
  void Succeeded() { Add(0); }
  void Failed(ErrorKind kind) {
    Add(ExitCode(kind));
    failure_ = kind;
  }
  bool empty() const { return !code_; }
  int exit_code() const { return code_.value_or(0); }
  // What a failure that sums up is to be called. Only where something failed.
  ErrorKind failure() const { return code_ == ExitCode(ErrorKind::kMixed) ? ErrorKind::kMixed : failure_; }

 private:
  void Add(int code) { code_ = code_ && *code_ != code ? ExitCode(ErrorKind::kMixed) : code; }
  std::optional<int> code_;
  ErrorKind failure_ = ErrorKind::kFailure;
};

}  // namespace tw::cli
