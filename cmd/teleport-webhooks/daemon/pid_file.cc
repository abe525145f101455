#include "daemon/pid_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "base/unique_fd.h"

namespace tw::daemon {

Result<PidFile> PidFile::Write(const std::string& path) {
  const std::string beside = path + ".new";
  const std::string text = std::to_string(getpid()) + "\n";
  const auto failed = [&] {
    return Error::Failure("cannot write the pid file " + EscapeControls(path) + ": " + std::strerror(errno));
  };
  UniqueFd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return failed();
  if (::rename(beside.c_str(), path.c_str()) != 0) return failed();
  return PidFile(path);
}

PidFile::PidFile(PidFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}

PidFile& PidFile::operator=(PidFile&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

PidFile::~PidFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace tw::daemon
