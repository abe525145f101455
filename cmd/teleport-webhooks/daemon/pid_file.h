// The pid file of --pid-file: locked while the process lives, removed when the object goes.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace tw::daemon {

class PidFile {
 public:
  // Errors: kFailure. It cannot be written, is no regular file, or a process that lives holds it, whose id is
  // then named. What one that died left is written over.
  static Result<PidFile> Write(const std::string& path);
  PidFile() = default;
  PidFile(PidFile&& other) noexcept;
  PidFile& operator=(PidFile&& other) noexcept;
  ~PidFile();

 private:
  PidFile(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string path_;
  UniqueFd fd_;
};

}  // namespace tw::daemon
