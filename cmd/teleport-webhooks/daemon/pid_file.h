// The pid file of --pid-file: written whole, removed when the object goes.
#pragma once

#include <string>

#include "base/result.h"

namespace tw::daemon {

class PidFile {
 public:
  static Result<PidFile> Write(const std::string& path);
  PidFile() = default;
  PidFile(PidFile&& other) noexcept;
  PidFile& operator=(PidFile&& other) noexcept;
  ~PidFile();

 private:
  explicit PidFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace tw::daemon
