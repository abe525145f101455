#include "store/endpoint_ledger.h"

namespace tw::store {
namespace {

// Names come from the configuration; after many reloads the old ones need not stay in memory.
constexpr std::size_t kMostNames = 1024;

}  // namespace

std::int64_t EndpointLedger::NumberOf(Connection& connection, const std::string& name) {
  if (const auto found = numbers_.find(name); found != numbers_.end()) return found->second;
  Query(connection, "INSERT INTO endpoint (name) VALUES (?1) ON CONFLICT (name) DO NOTHING", name).Run();
  Query query(connection, "SELECT number FROM endpoint WHERE name = ?1", name);
  query.Next();
  if (numbers_.size() >= kMostNames) numbers_.clear();
  return numbers_[name] = query.Int(0);
}

void EndpointLedger::Count(std::int64_t endpoint, DeliveryStatus status, std::int64_t change) {
  changes_[endpoint][static_cast<std::size_t>(status)] += change;
}

void EndpointLedger::Write(Connection& connection) {
  for (const auto& [endpoint, by_status] : changes_) {
    Query(connection,
          "UPDATE endpoint SET pending = pending + ?2, delivered = delivered + ?3, dead = dead + ?4 "
          "WHERE number = ?1",
          endpoint, by_status[0], by_status[1], by_status[2])
        .Run();
  }
  changes_.clear();
}

void EndpointLedger::Forget() {
  numbers_.clear();
  changes_.clear();
}

}  // namespace tw::store
