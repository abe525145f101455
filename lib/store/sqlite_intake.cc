#include "store/sqlite_intake.h"

#include "access/event_json.h"
#include "store/record_codec.h"

namespace tw::store {
namespace {

// When a request went away: its last event says so.
std::optional<SystemTime> GoneAt(const access::Change& change) {
  if (!change.known.gone) return std::nullopt;
  if (change.event) return change.event->timestamp;
  return std::chrono::floor<SystemTime::duration>(std::chrono::system_clock::now());
}

bool HasPending(Connection& connection, std::int64_t request, std::int64_t endpoint) {
  return Query(connection,
               "SELECT 1 FROM delivery INDEXED BY delivery_chain "
               "WHERE request = ?1 AND endpoint = ?2 AND status = 0 LIMIT 1",
               request, endpoint)
      .Next();
}

}  // namespace

Intake::Intake(std::span<const Commitment> batch) : batch_(batch) {
  prepared_.reserve(batch.size());
  for (const Commitment& commitment : batch) {
    const access::Change& change = commitment.change;
    prepared_.push_back({EncodeRecord(change.known), change.event ? EventToJson(*change.event) : ""});
  }
}

void Intake::Write(GroupWriter::Access& access, const ClaimOnCommit& claim) {
  claim_ = claim;
  result_ = {};
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const Request request = WriteRequest(access.connection, i);
    const auto event = WriteEvent(access.connection, i, request.number);
    result_.fresh.push_back(event.has_value());
    if (!event) continue;
    for (const std::string& endpoint : batch_[i].endpoints) {
      WriteDelivery(access, i, request, *event, endpoint);
    }
    for (const auto& [endpoint, reason] : batch_[i].unfiltered) {
      WriteDeadLetter(access, i, request, *event, endpoint, reason);
    }
  }
}

Intake::Request Intake::WriteRequest(Connection& connection, std::size_t i) {
  const access::Change& change = batch_[i].change;
  const std::string& id = change.known.content.id;
  const Blob record{prepared_[i].record};
  const auto gone_at = GoneAt(change);
  Query(connection,
        "INSERT INTO request (id, gone_at, record) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING", id,
        gone_at, record)
      .Run();
  if (connection.Changed()) return {connection.LastId(), true};

  Query find(connection, "SELECT number, gone_at FROM request WHERE id = ?1", id);
  find.Next();
  const std::int64_t number = find.Int(0);
  const bool was_gone = !find.IsNull(1);
  if (change.known.gone != was_gone) {
    Query(connection, "UPDATE request SET gone_at = ?2, record = ?3 WHERE number = ?1", number, gone_at,
          record)
        .Run();
  } else {
    // Without gone_at in the statement its index is left alone.
    Query(connection, "UPDATE request SET record = ?2 WHERE number = ?1", number, record).Run();
  }
  return {number, false};
}

std::optional<std::int64_t> Intake::WriteEvent(Connection& connection, std::size_t i, std::int64_t request) {
  const auto& event = batch_[i].change.event;
  if (!event) return std::nullopt;
  Query(connection,
        "INSERT INTO event (request, id, created, json) VALUES (?1, ?2, ?3, ?4) "
        "ON CONFLICT (request, id) DO NOTHING",
        request, event->id, event->timestamp, prepared_[i].event_json)
      .Run();
  if (!connection.Changed()) return std::nullopt;
  return connection.LastId();
}

void Intake::WriteDelivery(GroupWriter::Access& access, std::size_t i, const Request& request,
                           std::int64_t event, const std::string& endpoint) {
  Connection& connection = access.connection;
  const access::Event& told = *batch_[i].change.event;
  const std::int64_t number = access.ledger.NumberOf(connection, endpoint);
  const bool head = request.is_new || !HasPending(connection, request.number, number);
  Query(connection,
        "INSERT INTO delivery (endpoint, request, event, status, head, waiting, created, due) "
        "VALUES (?1, ?2, ?3, 0, ?4, 0, ?5, ?5)",
        number, request.number, event, head, told.timestamp)
      .Run();
  const std::int64_t id = connection.LastId();
  access.ledger.Count(number, DeliveryStatus::kPending, 1);

  const auto room = claim_.room.find(endpoint);
  if (!head || room == claim_.room.end() || room->second == 0) return;
  --room->second;
  Query(connection, "INSERT OR REPLACE INTO lease (delivery, endpoint, owner, until) VALUES (?1, ?2, ?3, ?4)",
        id, number, claim_.owner, claim_.lease_until)
      .Run();
  Delivery delivery;
  delivery.id = id;
  delivery.endpoint = endpoint;
  delivery.event_id = told.id;
  delivery.request_id = batch_[i].change.known.content.id;
  delivery.event_json = prepared_[i].event_json;
  delivery.created = told.timestamp;
  delivery.due = told.timestamp;
  result_.claimed.push_back(std::move(delivery));
}

void Intake::WriteDeadLetter(GroupWriter::Access& access, std::size_t i, const Request& request,
                             std::int64_t event, const std::string& endpoint, const std::string& reason) {
  const std::int64_t number = access.ledger.NumberOf(access.connection, endpoint);
  Query(access.connection,
        "INSERT INTO delivery (endpoint, request, event, status, head, waiting, created, due, last_error, "
        "finished) VALUES (?1, ?2, ?3, 2, 0, 0, ?4, ?4, ?5, ?4)",
        number, request.number, event, batch_[i].change.event->timestamp, reason)
      .Run();
  access.ledger.Count(number, DeliveryStatus::kDead, 1);
}

}  // namespace tw::store
