// GroupWriter: the one way to write. Callers that come while a transaction is under way are served together
// by the next one, so that under load many of them share one fsync; a lone caller works on its own thread and
// waits for nobody. Safe for use from any thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "store/endpoint_ledger.h"
#include "store/sqlite_connection.h"

namespace tw::store {

// kDurable: on the disk (fsync) before Run returns. kLazy: with the next durable one, or when the log is
// copied into the database; survives a crash of the program, not always one of the machine.
enum class Durability { kLazy, kDurable };

class GroupWriter {
 public:
  // What a piece of work may use. Work must not keep it, and must start from nothing when it is run again.
  struct Access {
    Connection& connection;
    EndpointLedger& ledger;
  };
  using Work = std::function<void(Access&)>;

  explicit GroupWriter(std::unique_ptr<Connection> connection);

  // All of `work` or nothing. Waits at most for the transactions before it. When a shared transaction fails,
  // each piece is tried again by itself, so that one does not harm another.
  Status Run(Durability durability, const Work& work);

 private:
  struct Job {
    Durability durability;
    const Work* work;
    Status status;
    bool done = false;
  };

  void Serve(const std::vector<Job*>& jobs);
  Status Transact(const std::vector<Job*>& jobs);
  void Begin(Durability durability);
  void Rollback() noexcept;

  std::unique_ptr<Connection> connection_;
  EndpointLedger ledger_;
  Durability durability_ = Durability::kDurable;  // as the connection is set

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Job*> waiting_;  // at most one for each calling thread
  bool busy_ = false;
};

}  // namespace tw::store
