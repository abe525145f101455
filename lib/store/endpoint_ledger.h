// EndpointLedger: endpoints by number, and how many deliveries each has in which status. The counts are kept
// in the endpoint's row and written once a transaction, so that a summary never has to count. Used only by
// the thread that holds the write transaction.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "store/sqlite_connection.h"
#include "store/store.h"

namespace tw::store {

class EndpointLedger {
 public:
  // The number of the endpoint; a new name gets a row.
  std::int64_t NumberOf(Connection& connection, const std::string& name);
  void Count(std::int64_t endpoint, DeliveryStatus status, std::int64_t change);
  // Before the commit.
  void Write(Connection& connection);
  // After a rollback: what was learnt in the transaction never happened.
  void Forget();

 private:
  std::map<std::string, std::int64_t> numbers_;
  std::map<std::int64_t, std::array<std::int64_t, 3>> changes_;  // by endpoint, then status
};

}  // namespace tw::store
