// The outbox in the database: leases, attempts and the order of deliveries. Internal to the SQLite adapter;
// everything that takes an Access runs within a transaction. Throws StorageError.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/group_writer.h"
#include "store/store.h"

namespace tw::store::outbox {

struct Lease {
  std::string owner;
  SystemTime now;
  SystemTime until;
};

std::vector<Delivery> Claim(GroupWriter::Access& access, const std::string& endpoint, std::size_t limit,
                            const Lease& lease);
std::optional<Delivery> ClaimOne(GroupWriter::Access& access, std::int64_t id, const Lease& lease);
void Finish(GroupWriter::Access& access, const AttemptRecord& record);
void Release(Connection& connection, const std::string& owner);
// Puts at most `limit` deliveries that were backed off back to their original place. Returns how many.
std::size_t MakeDue(Connection& connection, const std::string& endpoint, std::size_t limit);
// Removes a delivery and its attempts; false when there is none.
bool Remove(GroupWriter::Access& access, std::int64_t id);
// Turns a pending delivery into a dead letter without an attempt.
void GiveUp(GroupWriter::Access& access, std::int64_t id, SystemTime now, const std::string& reason);

// Reading; any connection.
std::optional<SystemTime> NextDue(Connection& connection, const std::string& endpoint);
std::vector<Delivery> Select(Connection& connection, const DeliveryQuery& query);
std::vector<AttemptRecord> Attempts(Connection& connection, std::int64_t id);
bool Superseded(Connection& connection, std::int64_t id);

}  // namespace tw::store::outbox
