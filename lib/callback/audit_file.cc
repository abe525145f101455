#include "callback/audit_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "callback/audit_line.h"

namespace tw::callback {
namespace {

constexpr mode_t kMode = 0600;
constexpr const char* kRotated = ".1";  // what logrotate(8) calls the file before
constexpr off_t kTail = 64 * 1024;      // more than any line
// Room on the disk that is taken before anything is decided: for the lines of all callbacks under way.
constexpr off_t kReserve = 64 * 1024;

Error Failed(const std::string& path, std::string_view what, int error) {
  return {ErrorKind::kFailure, fmt::format("{}: {}: {}", path, what, std::generic_category().message(error)),
          "check space and permissions of the state directory", true};
}

// The last whole line of a file, and where the file would end with it.
struct Tail {
  std::string line;
  off_t end = 0;
};

Result<Tail> ReadTail(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return Failed(path, "cannot look at it", errno);
  const off_t start = info.st_size > kTail ? info.st_size - kTail : 0;
  std::string text(static_cast<std::size_t>(info.st_size - start), '\0');
  if (::pread(fd, text.data(), text.size(), start) != static_cast<ssize_t>(text.size())) {
    return Failed(path, "cannot read it", errno);
  }
  const auto last_break = text.rfind('\n');
  if (last_break == std::string::npos) return Tail{{}, start == 0 ? 0 : info.st_size};
  const auto before = last_break == 0 ? std::string::npos : text.rfind('\n', last_break - 1);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  return Tail{text.substr(begin, last_break - begin), start + static_cast<off_t>(last_break) + 1};
}

ino_t Inode(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

// Adds the lines of a file to what was read before.
Status VerifyFile(const std::string& path, AuditReport& report) {
  report.torn_tail = false;
  std::ifstream file(path, std::ios::binary);
  if (!file) return errno == ENOENT ? Status() : Status(Failed(path, "cannot read it", errno));
  std::string line;
  for (std::uint64_t number = 1; std::getline(file, line); ++number) {
    if (file.eof()) {  // no line break behind it
      report.torn_tail = !line.empty();
      break;
    }
    const auto link = ReadAuditLine(line);
    const bool first = report.lines++ == 0;
    if (link && first) {
      report.from_start = link->prev == kNoHash;
      report.first_seq = link->seq;
    }
    const bool fits = link && (first || (link->prev == report.last_hash && link->seq == report.last_seq + 1));
    if (!fits && report.whole) {
      report.whole = false;
      report.problem = fmt::format("{}:{}: {}", path, number,
                                   link ? "does not follow the line before it" : "was changed or damaged");
    }
    report.last_hash = link ? link->hash : std::string();
    report.last_seq = link ? link->seq : 0;
  }
  if (file.bad()) return Failed(path, "cannot read it", EIO);
  return {};
}

void SyncDirectory(const std::string& path) {
  const auto slash = path.rfind('/');
  const UniqueFd directory(::open(slash == std::string::npos ? "." : path.substr(0, slash + 1).c_str(),
                                  O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory) ::fsync(directory.get());
}

}  // namespace

Result<std::unique_ptr<AuditFile>> AuditFile::Open(std::string path, Logger& log) {
  std::unique_ptr<AuditFile> out(new AuditFile(std::move(path), log));
  if (Status opened = out->OpenFile(); !opened) return opened.error();
  return out;
}

Status AuditFile::OpenFile() {
  reserved_to_ = 0;
  fd_ = UniqueFd(::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode));
  if (!fd_) return Failed(path_, "cannot open it", errno);
  SyncDirectory(path_);
  auto tail = ReadTail(fd_.get(), path_);
  if (!tail) return tail.error();
  struct stat info {};
  ::fstat(fd_.get(), &info);
  if (info.st_size > tail->end) {
    log_.Warn("the audit trail ended in the middle of a line; the part is removed",
              {{"file", path_}, {"bytes", info.st_size - tail->end}});
    if (::ftruncate(fd_.get(), tail->end) != 0) return Failed(path_, "cannot cut it", errno);
  }
  if (tail->line.empty() && last_hash_.empty()) {
    const std::string older = path_ + kRotated;
    if (const UniqueFd fd(::open(older.c_str(), O_RDONLY | O_CLOEXEC)); fd) {
      if (auto rotated = ReadTail(fd.get(), older)) tail->line = std::move(rotated->line);
    }
  }
  if (!tail->line.empty()) {
    if (const auto link = ReadAuditLine(tail->line)) {
      seq_ = link->seq;
      last_hash_ = link->hash;
    } else {
      // Going on from here keeps the break visible: the next line cannot fit the one before it.
      log_.Error("the last line of the audit trail is damaged; a new chain begins", {{"file", path_}});
      last_hash_ = kNoHash;
    }
  }
  if (last_hash_.empty()) last_hash_ = kNoHash;
  return {};
}

Status AuditFile::FollowRotation() {
  struct stat by_name {};
  struct stat by_fd {};
  const bool same = fd_ && ::stat(path_.c_str(), &by_name) == 0 && ::fstat(fd_.get(), &by_fd) == 0 &&
                    by_name.st_ino == by_fd.st_ino && by_name.st_dev == by_fd.st_dev;
  if (same) return {};
  if (fd_) ::fsync(fd_.get());
  return OpenFile();
}

Status AuditFile::Write(const std::string& line) {
  const ssize_t count = ::write(fd_.get(), line.data(), line.size());
  if (count == static_cast<ssize_t>(line.size())) return {};
  const Error error = Failed(path_, "cannot write to it", count < 0 ? errno : ENOSPC);
  if (count > 0) {  // the disk filled up in the middle
    const off_t end = ::lseek(fd_.get(), 0, SEEK_END);
    if (::ftruncate(fd_.get(), end - count) != 0)
      log_.Error("the audit trail has an incomplete line", {{"file", path_}});
  }
  return error;
}

Status AuditFile::Append(const AuditRecord& record) {
  std::unique_lock lock(mutex_);
  broken_ = true;
  if (Status followed = FollowRotation(); !followed) return followed;
  std::string hash;
  const std::string line = AuditLine(record, seq_ + 1, last_hash_, hash) + "\n";
  if (Status written = Write(line); !written) return written;
  ++seq_;
  last_hash_ = std::move(hash);
  broken_ = false;
  return Sync(lock, ++written_);
}

// One of the waiting threads syncs for all that have written by then.
Status AuditFile::Sync(std::unique_lock<std::mutex>& lock, std::uint64_t mine) {
  while (synced_ < mine) {
    if (syncing_) {
      synced_changed_.wait(lock);
      continue;
    }
    syncing_ = true;
    const std::uint64_t goal = written_;
    const UniqueFd fd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));  // a rotation may close the other meanwhile
    lock.unlock();
    const int result = fd ? ::fdatasync(fd.get()) : -1;
    const int error = errno;
    lock.lock();
    syncing_ = false;
    if (result != 0) {
      broken_ = true;
      sync_error_ = error;
      if (failed_to_ != synced_) failed_after_ = synced_;
      failed_to_ = goal;
    }
    synced_ = goal;  // also after a failure: each of these lines is told once
    synced_changed_.notify_all();
  }
  if (mine > failed_after_ && mine <= failed_to_)
    return Failed(path_, "cannot bring it to disk", sync_error_);
  return {};
}

Status AuditFile::Ready() {
  std::lock_guard lock(mutex_);
  if (Status followed = FollowRotation(); !followed) return followed;
  const off_t end = ::lseek(fd_.get(), 0, SEEK_END);
  if (broken_) {
    if (Status tried = TryWrite(end); !tried) return tried;
    broken_ = false;
  }
  return Reserve(end);
}

// With bytes that are taken back, since only a write tells whether there is room again.
Status AuditFile::TryWrite(off_t end) {
  const std::array<char, 4096> blank{};
  const ssize_t count = ::write(fd_.get(), blank.data(), blank.size());
  const int error = errno;
  if (::ftruncate(fd_.get(), end) != 0) return Failed(path_, "cannot cut it", errno);
  if (count != static_cast<ssize_t>(blank.size()))
    return Failed(path_, "cannot write to it", count < 0 ? error : ENOSPC);
  reserved_to_ = 0;  // cutting gave the room back
  return {};
}

Status AuditFile::Reserve(off_t end) {
  // A file that somebody cut (logrotate's copytruncate) has lost its room with it.
  if (reserved_to_ - end > kReserve) reserved_to_ = 0;
  if (reserved_to_ - end >= kReserve / 2) return {};
  // The size stays, so that a crash leaves no gap of zeros.
  if (::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, end, kReserve) != 0) {
    if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINTR)
      return Failed(path_, "cannot take the room for its next lines", errno);
  }
  reserved_to_ = end + kReserve;  // also on a file system that cannot: then a write tells
  return {};
}

Result<AuditReport> VerifyAudit(const std::string& path) {
  const std::string older = path + kRotated;
  for (bool again = true;; again = false) {
    const ino_t before = Inode(older);
    AuditReport report;
    for (const std::string& file : {older, path}) {
      if (Status read = VerifyFile(file, report); !read) return read.error();
    }
    // A rotation in between would look like a gap.
    if (report.whole || !again || Inode(older) == before) return report;
  }
}

}  // namespace tw::callback
