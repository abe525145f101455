#include "store/sqlite_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>

#include "store/group_writer.h"
#include "store/sqlite_books.h"
#include "store/sqlite_intake.h"
#include "store/sqlite_outbox.h"
#include "store/sqlite_schema.h"
#include "store/sqlite_sweep.h"

namespace tw::store {
namespace {

// The log is copied into the database when it has this many pages (16 MiB): large enough that a burst touches
// a page many times before it is copied once, small enough for any disk.
constexpr int kCheckpointPages = 4'096;
constexpr std::int64_t kLogKept = 16 * 1024 * 1024;  // bytes; what a burst added is cut off again
// Rows that one transaction of MakeAllDue touches, so that intake never waits long for it.
constexpr std::size_t kMakeDueStep = 2'000;

class SqliteStore final : public Store {
 public:
  SqliteStore(std::unique_ptr<Connection> writing, std::unique_ptr<Connection> reading)
      : writer_(std::move(writing)), reading_(std::move(reading)) {}

  Result<std::optional<access::KnownRequest>> Find(const std::string& id) override {
    return Read([&](Connection& c) { return books::FindRequest(c, id); });
  }
  Result<std::vector<std::string>> LiveIds() override { return Read(books::LiveIds); }
  Result<bool> FirstSyncDone() override { return Read(books::FirstSyncDone); }
  Status FinishFirstSync() override {
    return writer_.Run(Durability::kDurable, [](auto& access) { books::FinishFirstSync(access.connection); });
  }

  Status Remember(const access::Decision& decision, SystemTime at) override {
    return Lazily([&](auto& access) { books::RememberDecision(access.connection, decision, at); });
  }
  Status Withdraw(const std::string& request_id, access::RequestState state) override {
    return Lazily([&](auto& access) { books::WithdrawDecision(access.connection, request_id, state); });
  }
  Result<std::optional<access::DecisionNote>> Find(const std::string& request_id,
                                                   access::RequestState state) override {
    return Read([&](Connection& c) { return books::FindDecision(c, request_id, state); });
  }

  Result<std::vector<bool>> Commit(std::span<const Commitment> batch) override {
    auto committed = CommitAndClaim(batch, {});
    if (!committed) return committed.error();
    return std::move(committed->fresh);
  }
  Result<Committed> CommitAndClaim(std::span<const Commitment> batch, const ClaimOnCommit& claim) override {
    Intake intake(batch);
    const Status written =
        writer_.Run(Durability::kDurable, [&](auto& access) { intake.Write(access, claim); });
    if (!written) return written.error();
    return intake.TakeResult();
  }

  Result<std::vector<Delivery>> Claim(const std::string& endpoint, SystemTime now, std::size_t limit,
                                      const std::string& owner, SystemTime lease_until) override {
    return Work<std::vector<Delivery>>([&](auto& access) {
      return outbox::Claim(access, endpoint, limit, {owner, now, lease_until});
    });
  }
  Result<std::optional<Delivery>> ClaimOne(std::int64_t delivery_id, SystemTime now, const std::string& owner,
                                           SystemTime lease_until) override {
    return Work<std::optional<Delivery>>([&](auto& access) {
      return outbox::ClaimOne(access, delivery_id, {owner, now, lease_until});
    });
  }
  Status Finish(std::span<const AttemptRecord> attempts) override {
    if (attempts.empty()) return {};
    return Lazily([&](auto& access) {
      for (const AttemptRecord& record : attempts) outbox::Finish(access, record);
    });
  }
  Status ReleaseLeases(const std::string& owner) override {
    return Lazily([&](auto& access) { outbox::Release(access.connection, owner); });
  }
  Result<std::vector<AttemptRecord>> Attempts(std::int64_t delivery_id) override {
    return Read([&](Connection& c) { return outbox::Attempts(c, delivery_id); });
  }
  Result<std::optional<SystemTime>> NextDue(const std::string& endpoint) override {
    return Read([&](Connection& c) { return outbox::NextDue(c, endpoint); });
  }
  Status MakeAllDue(const std::string& endpoint) override {
    for (;;) {
      const auto made = Work<std::size_t>(
          [&](auto& access) { return outbox::MakeDue(access.connection, endpoint, kMakeDueStep); });
      if (!made) return made.error();
      if (*made < kMakeDueStep) return {};
    }
  }

  Result<std::optional<EndpointState>> FindEndpoint(const std::string& endpoint) override {
    return Read([&](Connection& c) { return books::FindEndpoint(c, endpoint); });
  }
  Status SaveEndpoint(const EndpointState& state) override {
    return Lazily([&](auto& access) { books::SaveEndpoint(access, state); });
  }

  Result<std::vector<QueueSummary>> Summaries() override { return Read(books::Summaries); }
  Result<std::vector<Delivery>> Deliveries(const DeliveryQuery& query) override {
    return Read([&](Connection& c) { return outbox::Select(c, query); });
  }
  Result<bool> Superseded(std::int64_t delivery_id) override {
    return Read([&](Connection& c) { return outbox::Superseded(c, delivery_id); });
  }
  Status Discard(std::int64_t delivery_id) override {
    const auto removed = Work<bool>([&](auto& access) { return outbox::Remove(access, delivery_id); });
    if (!removed) return removed.error();
    if (*removed) return {};
    return Error{ErrorKind::kNotFound, fmt::format("there is no delivery {}", delivery_id), {}, false};
  }

  Result<std::optional<ReplayAnswer>> FindReplay(const std::string& caller,
                                                 const std::string& webhook_id) override {
    return Read([&](Connection& c) { return books::FindReplay(c, caller, webhook_id); });
  }
  Status SaveReplay(const std::string& caller, const std::string& webhook_id, const ReplayAnswer& answer,
                    SystemTime forget_after) override {
    return Lazily([&](auto& access) {
      books::SaveReplay(access.connection, caller, webhook_id, answer, forget_after);
    });
  }

  Result<bool> Sweep(SystemTime now, std::chrono::milliseconds retain, std::size_t limit,
                     std::span<const std::string> served) override {
    return Work<bool>([&](auto& access) { return sweeper_.Step(access, {now, retain, limit, served}); });
  }

 private:
  template <class F>
  auto Read(const F& read) -> Result<decltype(read(std::declval<Connection&>()))> {
    std::lock_guard lock(reading_mutex_);
    try {
      return read(*reading_);
    } catch (const StorageError& failed) {
      return failed.error;
    } catch (const std::exception& failed) {
      return Error::Failure(reading_->path() + ": " + failed.what());
    }
  }

  Status Lazily(const GroupWriter::Work& work) { return writer_.Run(Durability::kLazy, work); }

  template <class T, class F>
  Result<T> Work(const F& work) {
    T value{};
    const Status done = Lazily([&](GroupWriter::Access& access) { value = work(access); });
    if (!done) return done.error();
    return value;
  }

  GroupWriter writer_;
  Sweeper sweeper_;  // by the writer only
  std::mutex reading_mutex_;
  std::unique_ptr<Connection> reading_;
};

// SQLite makes its files after the umask; the log and its index copy the mode of the database. An existing
// database must not be opened here: closing it again would drop the locks that SQLite holds in this process.
Status PrepareFile(const std::string& path, bool create) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) {
    // Fails only for a file of another user, which root may share with us on purpose.
    if (S_ISREG(info.st_mode) && (info.st_mode & 0077U) != 0) {
      [[maybe_unused]] const int narrowed = ::chmod(path.c_str(), info.st_mode & 0700U);
    }
    return {};
  }
  if (errno == ENOENT && !create)
    return Error{ErrorKind::kNotFound, path + ": there is no store here yet", "`serve` creates it", false};
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, 0600));
  const int code = errno;
  if (fd || code == EEXIST) return {};
  return Error{ErrorKind::kFailure,
               fmt::format("{}: cannot create the store: {}", path, std::generic_category().message(code)),
               "look at the owner and mode of the directory, and at the room on the disk", true};
}

void Configure(Connection& connection, int cache_kib) {
  connection.Execute(
      fmt::format("PRAGMA cache_size = -{}; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; "
                  "PRAGMA wal_autocheckpoint = {}; PRAGMA journal_size_limit = {}",
                  cache_kib, kCheckpointPages, kLogKept));
}

void UseLog(Connection& connection) {
  Query mode(connection, std::string("PRAGMA journal_mode = WAL"));
  if (mode.Next() && mode.Text(0) == "wal") return;
  throw StorageError(Error::Failure(connection.path() + ": this file system cannot hold a write-ahead log",
                                    "choose a state.dir on a local disk"));
}

}  // namespace

Result<std::unique_ptr<Store>> OpenSqliteStore(const std::string& dir, SqliteOptions options) {
  if (Status ready = PrepareStateDir(dir, options.create); !ready) return ready.error();
  const std::string path = dir + "/" + kStoreFile;
  if (Status ready = PrepareFile(path, options.create); !ready) return ready.error();
  try {
    auto writing = std::make_unique<Connection>(path, options.busy);
    Configure(*writing, options.cache_kib);
    // Only effective while the file is empty; lets it shrink after a backlog.
    writing->Execute("PRAGMA auto_vacuum = INCREMENTAL");
    BringUpToDate(*writing, SchemaSteps());
    UseLog(*writing);
    if (options.most_pages > 0)
      writing->Execute(fmt::format("PRAGMA max_page_count = {}", options.most_pages));
    auto reading = std::make_unique<Connection>(path, options.busy);
    Configure(*reading, options.cache_kib / 3);
    reading->Execute("PRAGMA query_only = ON");
    return std::make_unique<SqliteStore>(std::move(writing), std::move(reading));
  } catch (const StorageError& failed) {
    return failed.error;
  } catch (const std::exception& failed) {
    return Error::Failure(path + ": " + failed.what());
  }
}

}  // namespace tw::store
