// Tally: the exit code of a verb that works on several ids.
#pragma once

#include <optional>

#include "base/error.h"

namespace tw::cli {

// All well: 0. All failed the same way: that code. Anything mixed: 9.
class Tally {
 public:
  void Succeeded() { Add(0); }
  void Failed(ErrorKind kind) { Add(ExitCode(kind)); }
  bool empty() const { return !code_; }
  int exit_code() const { return code_.value_or(0); }

 private:
  void Add(int code) { code_ = code_ && *code_ != code ? ExitCode(ErrorKind::kMixed) : code; }
  std::optional<int> code_;
};

}  // namespace tw::cli
