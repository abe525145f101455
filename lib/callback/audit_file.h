// AuditFile: the audit trail as JSON lines, each with the hash of the one before, so that a changed or
// removed line shows. Whoever can write the file can also write a new chain: keep copies elsewhere if that
// matters.
//
// A line: {"seq":7,"time":"...","caller":"...",...,"prev":"<hex>","hash":"<hex>"}; hash = SHA-256 of the
// line's text before `,"hash"`. The first line of a trail has 64 zeros as prev.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/unique_fd.h"
#include "callback/ports.h"

namespace tw::callback {

// Any thread; records of several threads share one fsync. The file may be renamed away at any time
// (logrotate): the next record starts a new one that continues the chain.
class AuditFile final : public AuditLog {
 public:
  // Made (mode 0600) when missing; otherwise continued after its last whole line. What a crash left of a line
  // is cut off with a warning. An empty or missing file continues `<path>.1` when that is there.
  static Result<std::unique_ptr<AuditFile>> Open(std::string path, Logger& log);

  Status Append(const AuditRecord& record) override;
  // Also takes the room on the disk for the lines to come, so that a full disk shows before a decision.
  Status Ready() override;

 private:
  AuditFile(std::string path, Logger& log) : path_(std::move(path)), log_(log) {}

  Status OpenFile();
  Status FollowRotation();
  Status Write(const std::string& line);
  Status Sync(std::unique_lock<std::mutex>& lock, std::uint64_t mine);
  Status TryWrite(off_t end);
  Status Reserve(off_t end);

  const std::string path_;
  Logger& log_;
  std::mutex mutex_;
  std::condition_variable synced_changed_;
  UniqueFd fd_;
  std::uint64_t seq_ = 0;      // of the last line
  std::string last_hash_;      // of the last line
  std::uint64_t written_ = 0;  // lines written by this process, and how many of them are on disk
  std::uint64_t synced_ = 0;
  // The lines after the first and up to the second were in a sync that failed.
  std::uint64_t failed_after_ = 0;
  std::uint64_t failed_to_ = 0;
  int sync_error_ = 0;
  off_t reserved_to_ = 0;  // the file has its room on the disk up to here
  bool syncing_ = false;
  bool broken_ = false;  // the last write failed
};

struct AuditReport {
  std::uint64_t lines = 0;
  std::uint64_t first_seq = 0;
  std::uint64_t last_seq = 0;
  bool whole = true;       // the chain holds
  bool torn_tail = false;  // the last line is incomplete, as after a crash or while it is being written
  std::string problem;     // of the first bad line, with its number
  bool from_start = true;  // the first line is the first that ever was
  std::string last_hash;
};

// Reads a trail and checks its chain: what logrotate left in `<path>.1`, when that is there, and `path`
// behind it. Error: kFailure when a file cannot be read; missing ones are an empty report.
Result<AuditReport> VerifyAudit(const std::string& path);

}  // namespace tw::callback
