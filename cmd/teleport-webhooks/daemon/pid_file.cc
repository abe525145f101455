#include "daemon/pid_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace tw::daemon {
namespace {

bool IsRegular(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

// What stands in the file, for a message.
std::string Holder(int fd) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  const std::string pid(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return EscapeControls(pid.substr(0, pid.find('\n')));
}

}  // namespace

Result<PidFile> PidFile::Write(const std::string& path) {
  const auto failed = [&](std::string_view why) {
    return Error::Failure(fmt::format("cannot write the pid file {}: {}", EscapeControls(path), why));
  };
  // O_NONBLOCK: a pipe without a reader is an error at once, not a hang.
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644));
  if (!fd) return failed(std::strerror(errno));
  if (!IsRegular(fd.get())) return failed("it is no regular file");
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK
               ? failed(fmt::format("the process that it names ({}) lives and holds it", Holder(fd.get())))
               : failed(std::strerror(errno));
  }
  const std::string text = std::to_string(getpid()) + "\n";
  if (::ftruncate(fd.get(), 0) != 0 ||
      ::pwrite(fd.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return failed(std::strerror(errno));
  }
  return PidFile(path, std::move(fd));
}

PidFile::PidFile(PidFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), fd_(std::move(other.fd_)) {}

PidFile& PidFile::operator=(PidFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

PidFile::~PidFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace tw::daemon
