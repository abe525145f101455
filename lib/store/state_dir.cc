#include "store/state_dir.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace tw::store {
namespace {

Error SystemFailure(const std::string& path, std::string_view doing, int code, std::string hint = {}) {
  Error error = Error::Failure(fmt::format("{}: {}: {}", path, doing, std::generic_category().message(code)),
                               std::move(hint));
  error.retryable = code == EACCES || code == EPERM || code == ENOSPC || code == EDQUOT || code == EROFS ||
                    code == EIO || code == EMFILE || code == ENFILE;
  return error;
}

// The parents get the usual mode, the directory itself is for us alone.
Status MakeDirectory(const std::string& dir) {
  std::error_code failed;
  std::filesystem::path path = dir;
  // "state/" and "state/.": else the directory itself would count as a parent.
  while (path.has_relative_path() && (!path.has_filename() || path.filename() == "."))
    path = path.parent_path();
  const std::filesystem::path parent = path.lexically_normal().parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, failed);
  if (!failed && ::mkdir(path.c_str(), 0700) == 0) return {};
  const int code = failed ? failed.value() : errno;
  if (code == EEXIST) return {};
  return SystemFailure(dir, "cannot create the state directory", code,
                       "create it for this user, or set state.dir");
}

std::string LockPath(const std::string& dir) {
  return dir + "/serve.lock";
}

// The whole file, for the one open description (fcntl(2)): such a lock can be looked at without taking one,
// so that a look never keeps a `serve` from starting.
struct flock WholeFile(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

std::optional<int> ReadPid(int fd) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  int pid = 0;
  if (size <= 0 || std::from_chars(text.data(), text.data() + size, pid).ec != std::errc())
    return std::nullopt;
  return pid;
}

Result<UniqueFd> OpenLock(const std::string& dir) {
  const std::string path = LockPath(dir);
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return SystemFailure(path, "cannot open", errno, "look at the owner and mode of the directory");
  return fd;
}

}  // namespace

Status PrepareStateDir(const std::string& dir, bool create) {
  struct stat info {};
  if (::stat(dir.c_str(), &info) != 0) {
    if (errno != ENOENT) return SystemFailure(dir, "cannot look at the state directory", errno);
    if (!create)
      return Error{ErrorKind::kNotFound, dir + ": there is no store here yet", "`serve` creates it", false};
    if (Status made = MakeDirectory(dir); !made) return made;
    if (::stat(dir.c_str(), &info) != 0)
      return SystemFailure(dir, "cannot look at the state directory", errno);
  }
  if (!S_ISDIR(info.st_mode))
    return Error::Failure(dir + " is not a directory", "set state.dir to a directory");
  if (info.st_uid != ::geteuid() && info.st_uid != 0) {
    return Error::Failure(fmt::format("{} belongs to another user (uid {})", dir, info.st_uid),
                          "run as that user, or set state.dir");
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Error::Failure(
        fmt::format("{} may be written by others (mode {:04o})", dir, info.st_mode & 07777U),
        fmt::format("chmod 0700 {}", dir));
  }
  return {};
}

Result<ServeLock> LockForServe(const std::string& dir) {
  if (Status ready = PrepareStateDir(dir, true); !ready) return ready.error();
  auto fd = OpenLock(dir);
  if (!fd) return fd.error();
  struct flock lock = WholeFile(F_WRLCK);
  if (::fcntl(fd->get(), F_OFD_SETLK, &lock) != 0) {
    if (errno != EAGAIN && errno != EACCES) return SystemFailure(LockPath(dir), "cannot lock", errno);
    const auto pid = ReadPid(fd->get());
    return Error::Failure(
        fmt::format("another serve (pid {}) works in {}", pid ? std::to_string(*pid) : "unknown", dir),
        "stop it first, or give this one another state.dir");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  // Only words for people: a failure to write them does not weaken the lock.
  if (::ftruncate(fd->get(), 0) == 0) {
    [[maybe_unused]] const ssize_t written = ::pwrite(fd->get(), pid.data(), pid.size(), 0);
  }
  return ServeLock(std::move(*fd), LockPath(dir));
}

bool ServeLock::InPlace() const {
  struct stat named {
  }, held{};
  if (::stat(path_.c_str(), &named) != 0) return errno != ENOENT && errno != ENOTDIR;
  return ::fstat(fd_.get(), &held) != 0 || (named.st_dev == held.st_dev && named.st_ino == held.st_ino);
}

Result<std::optional<int>> ServingPid(const std::string& dir) {
  UniqueFd fd(::open(LockPath(dir).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) {
    if (errno == ENOENT) return std::optional<int>();
    return SystemFailure(LockPath(dir), "cannot open", errno);
  }
  struct flock lock = WholeFile(F_RDLCK);
  if (::fcntl(fd.get(), F_OFD_GETLK, &lock) != 0)
    return SystemFailure(LockPath(dir), "cannot look at the lock", errno);
  if (lock.l_type == F_UNLCK) return std::optional<int>();
  return std::optional<int>(ReadPid(fd.get()).value_or(0));
}

}  // namespace tw::store
