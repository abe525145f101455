// The state directory and the lock that keeps a second `serve` out of it.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace tw::store {

// Makes sure that `dir` is a directory of ours into which nobody else may write; with `create` a missing one
// is made with mode 0700. Errors: kFailure, retryable when a permission or a full disk is in the way;
// kNotFound when it is missing and not to be created.
Status PrepareStateDir(const std::string& dir, bool create);

// Held for as long as the object lives, and given up by the kernel when the process dies.
class ServeLock {
 public:
  ServeLock(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  // Does the directory still hold what is locked, or was it removed or replaced?
  bool InPlace() const;

 private:
  UniqueFd fd_;
  std::string path_;
};

// Creates the directory when needed. Error: kFailure, naming the process that serves from it already.
Result<ServeLock> LockForServe(const std::string& dir);

// The process that holds the lock, nullopt when nobody does. For `check`.
Result<std::optional<int>> ServingPid(const std::string& dir);

}  // namespace tw::store
