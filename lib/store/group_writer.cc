#include "store/group_writer.h"

#include <utility>

namespace tw::store {

GroupWriter::GroupWriter(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {
  connection_->Execute("PRAGMA synchronous = FULL");
}

Status GroupWriter::Run(Durability durability, const Work& work) {
  Job job{durability, &work, {}, false};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&job);
  changed_.wait(lock, [&] { return job.done || !busy_; });
  if (!job.done) {
    busy_ = true;
    const std::vector<Job*> jobs = std::exchange(waiting_, {});
    lock.unlock();
    Serve(jobs);
    lock.lock();
    for (Job* served : jobs) served->done = true;
    busy_ = false;
    lock.unlock();
    changed_.notify_all();
  }
  return job.status;
}

void GroupWriter::Serve(const std::vector<Job*>& jobs) {
  const Status together = Transact(jobs);
  for (Job* job : jobs) job->status = together || jobs.size() == 1 ? together : Transact({job});
}

Status GroupWriter::Transact(const std::vector<Job*>& jobs) {
  Durability durability = Durability::kLazy;
  for (const Job* job : jobs) {
    if (job->durability == Durability::kDurable) durability = Durability::kDurable;
  }
  Error error;
  try {
    Begin(durability);
    Access access{*connection_, ledger_};
    for (const Job* job : jobs) (*job->work)(access);
    ledger_.Write(*connection_);
    Query(*connection_, "COMMIT").Run();
    return {};
  } catch (const StorageError& failed) {
    error = failed.error;
  } catch (const std::exception& failed) {
    error = Error::Failure(connection_->path() + ": " + failed.what());
  }
  Rollback();
  return error;
}

void GroupWriter::Begin(Durability durability) {
  if (durability != durability_) {
    // SQLite acts on this when the statement is compiled, so it cannot come from the cache.
    connection_->Execute(durability == Durability::kDurable ? "PRAGMA synchronous = FULL"
                                                            : "PRAGMA synchronous = NORMAL");
    durability_ = durability;
  }
  Query(*connection_, "BEGIN IMMEDIATE").Run();
}

void GroupWriter::Rollback() noexcept {
  ledger_.Forget();
  try {
    // Some failures have rolled back already.
    if (connection_->InTransaction()) connection_->Execute("ROLLBACK");
  } catch (const std::exception&) {
    // The next BEGIN fails in turn and tells its caller.
  }
}

}  // namespace tw::store
