// Intake: events, records and deliveries on their way into the database. Internal to the SQLite adapter.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "store/group_writer.h"
#include "store/store.h"

namespace tw::store {

// A commitment in the form in which it is stored, made before the transaction so that it stays short.
class Intake {
 public:
  // `batch` must outlive the Intake.
  explicit Intake(std::span<const Commitment> batch);

  // Within a transaction. May be run again after a rollback; the result is of the last run.
  void Write(GroupWriter::Access& access, const ClaimOnCommit& claim);
  Committed TakeResult() { return std::move(result_); }

 private:
  struct Prepared {
    std::string record;
    std::string event_json;
  };
  struct Request {
    std::int64_t number = 0;
    bool is_new = false;
  };

  Request WriteRequest(Connection& connection, std::size_t i);
  // The number of the event, or nullopt when its id was committed before.
  std::optional<std::int64_t> WriteEvent(Connection& connection, std::size_t i, std::int64_t request);
  void WriteDelivery(GroupWriter::Access& access, std::size_t i, const Request& request, std::int64_t event,
                     const std::string& endpoint);
  void WriteDeadLetter(GroupWriter::Access& access, std::size_t i, const Request& request, std::int64_t event,
                       const std::string& endpoint, const std::string& reason);

  std::span<const Commitment> batch_;
  std::vector<Prepared> prepared_;
  ClaimOnCommit claim_;  // room is used up as it goes
  Committed result_;
};

}  // namespace tw::store
