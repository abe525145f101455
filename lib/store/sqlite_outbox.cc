#include "store/sqlite_outbox.h"

#include <algorithm>

#include "store/attempt_rules.h"

namespace tw::store::outbox {
namespace {

// A delivery with the columns that place it.
struct Row {
  Delivery delivery;
  std::int64_t endpoint = 0;
  std::int64_t request = 0;
  bool head = false;
};

std::optional<Row> FindRow(Connection& connection, std::int64_t id) {
  Query query(connection,
              "SELECT endpoint, request, head, status, created, attempts, first_attempt, held, due, "
              "last_status, last_error, finished FROM delivery WHERE id = ?1",
              id);
  if (!query.Next()) return std::nullopt;
  Row row{{}, query.Int(0), query.Int(1), query.Int(2) != 0};
  Delivery& delivery = row.delivery;
  delivery.id = id;
  delivery.status = static_cast<DeliveryStatus>(query.Int(3));
  delivery.created = query.Time(4);
  delivery.attempts = static_cast<int>(query.Int(5));
  delivery.first_attempt = query.MaybeTime(6);
  delivery.held_before_first = std::chrono::milliseconds(query.Int(7));
  delivery.due = query.Time(8);
  delivery.last_status = static_cast<int>(query.Int(9));
  delivery.last_error = query.String(10);
  delivery.finished = query.MaybeTime(11);
  return row;
}

void Save(Connection& connection, const Delivery& d, bool head) {
  Query(connection,
        "UPDATE delivery SET status = ?2, head = ?3, waiting = ?4, due = ?5, attempts = ?6, "
        "first_attempt = ?7, held = ?8, last_status = ?9, last_error = ?10, finished = ?11 WHERE id = ?1",
        d.id, static_cast<int>(d.status), head, head && IsBackedOff(d), d.due, d.attempts, d.first_attempt,
        d.held_before_first, d.last_status, d.last_error, d.finished)
      .Run();
}

void InsertAttempt(Connection& connection, int n, const AttemptRecord& record) {
  Query(connection,
        "INSERT OR REPLACE INTO attempt (delivery, n, at, took, status, http_status, error, due) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        record.delivery_id, n, record.at, record.took, static_cast<int>(record.status), record.http_status,
        record.error, record.due)
      .Run();
}

// Delivered at the first try is the common case; its attempt is told by the delivery's own row and gets none
// in the history.
bool ToldByItself(const Delivery& delivery) {
  return delivery.attempts == 1 && delivery.status == DeliveryStatus::kDelivered && delivery.finished;
}

AttemptRecord OnlyAttempt(const Delivery& delivery) {
  AttemptRecord record;
  record.delivery_id = delivery.id;
  record.status = delivery.status;
  record.at = delivery.first_attempt.value_or(*delivery.finished);
  record.took = std::chrono::floor<std::chrono::milliseconds>(*delivery.finished - record.at);
  record.http_status = delivery.last_status;
  record.error = delivery.last_error;
  return record;
}

void Remember(Connection& connection, const Delivery& before, const Delivery& after,
              const AttemptRecord& record) {
  if (!record.counted || ToldByItself(after)) return;
  if (ToldByItself(before)) InsertAttempt(connection, 1, OnlyAttempt(before));
  InsertAttempt(connection, after.attempts, record);
  if (after.attempts <= kAttemptsKept) return;
  Query(connection, "DELETE FROM attempt WHERE delivery = ?1 AND n <= ?2", after.id,
        after.attempts - kAttemptsKept)
      .Run();
}

void SetHead(Connection& connection, std::int64_t id, bool head) {
  Query(connection, "UPDATE delivery SET head = ?2, waiting = ?2 AND due > created WHERE id = ?1", id, head)
      .Run();
}

// For a request whose head is finished: the next one may go.
void PromoteFirst(Connection& connection, std::int64_t request, std::int64_t endpoint) {
  std::optional<std::int64_t> first;
  {
    Query query(connection,
                "SELECT id FROM delivery INDEXED BY delivery_chain "
                "WHERE request = ?1 AND endpoint = ?2 AND status = 0 ORDER BY id LIMIT 1",
                request, endpoint);
    if (query.Next()) first = query.Int(0);
  }
  if (first) SetHead(connection, *first, true);
}

// For a request where a delivery became pending again: the oldest may go, but only once the present head is
// back, so that no two are under way.
void Reorder(Connection& connection, std::int64_t request, std::int64_t endpoint) {
  std::optional<std::int64_t> first;
  std::optional<std::int64_t> head;
  bool under_way = false;
  {
    Query query(connection,
                "SELECT d.id, d.head, l.delivery IS NOT NULL FROM delivery d INDEXED BY delivery_chain "
                "LEFT JOIN lease l ON l.delivery = d.id "
                "WHERE d.request = ?1 AND d.endpoint = ?2 AND d.status = 0 ORDER BY d.id",
                request, endpoint);
    while (!head && query.Next()) {
      if (!first) first = query.Int(0);
      if (query.Int(1) != 0) head = query.Int(0);
      under_way = query.Int(2) != 0;
    }
  }
  if (!first || head == first || (head && under_way)) return;
  if (head) SetHead(connection, *head, false);
  SetHead(connection, *first, true);
}

void Settle(GroupWriter::Access& access, const Row& before, const Delivery& after) {
  const bool pending = after.status == DeliveryStatus::kPending;
  Save(access.connection, after, pending && before.head);
  Query(access.connection, "DELETE FROM lease WHERE delivery = ?1", after.id).Run();
  if (after.status != before.delivery.status) {
    access.ledger.Count(before.endpoint, before.delivery.status, -1);
    access.ledger.Count(before.endpoint, after.status, 1);
  }
  if (pending) {
    Reorder(access.connection, before.request, before.endpoint);
  } else if (before.head) {
    PromoteFirst(access.connection, before.request, before.endpoint);
  }
}

std::vector<std::pair<SystemTime, std::int64_t>> FreeIds(Connection& connection, std::int64_t endpoint,
                                                         SystemTime now, std::size_t limit) {
  const auto most = static_cast<std::int64_t>(limit);
  std::vector<std::pair<SystemTime, std::int64_t>> ids;
  const auto collect = [&](Query query) {
    while (query.Next()) ids.emplace_back(query.Time(0), query.Int(1));
  };
  collect(Query(connection,
                "SELECT d.due, d.id FROM delivery d INDEXED BY delivery_ready "
                "LEFT JOIN lease l ON l.delivery = d.id "
                "WHERE d.head = 1 AND d.endpoint = ?1 AND d.waiting = 0 "
                "AND (l.delivery IS NULL OR l.until <= ?2) ORDER BY d.due, d.id LIMIT ?3",
                endpoint, now, most));
  collect(Query(connection,
                "SELECT d.due, d.id FROM delivery d INDEXED BY delivery_ready "
                "LEFT JOIN lease l ON l.delivery = d.id "
                "WHERE d.head = 1 AND d.endpoint = ?1 AND d.waiting = 1 AND d.due <= ?2 "
                "AND (l.delivery IS NULL OR l.until <= ?2) ORDER BY d.due, d.id LIMIT ?3",
                endpoint, now, most));
  std::sort(ids.begin(), ids.end());
  if (ids.size() > limit) ids.resize(limit);
  return ids;
}

std::optional<std::int64_t> EndpointNumber(Connection& connection, const std::string& name) {
  Query query(connection, "SELECT number FROM endpoint WHERE name = ?1", name);
  if (!query.Next()) return std::nullopt;
  return query.Int(0);
}

void TakeLease(Connection& connection, std::int64_t id, std::int64_t endpoint, const Lease& lease) {
  Query(connection, "INSERT OR REPLACE INTO lease (delivery, endpoint, owner, until) VALUES (?1, ?2, ?3, ?4)",
        id, endpoint, lease.owner, lease.until)
      .Run();
}

constexpr const char* kSelectDelivery =
    "SELECT d.id, p.name, e.id, r.id, e.json, d.status, d.created, d.attempts, d.first_attempt, d.held, "
    "d.due, "
    "d.last_status, d.last_error, d.finished FROM delivery d JOIN event e ON e.number = d.event "
    "JOIN request r ON r.number = d.request JOIN endpoint p ON p.number = d.endpoint WHERE d.id = ?1";

Delivery ReadDelivery(const Query& query) {
  Delivery delivery;
  delivery.id = query.Int(0);
  delivery.endpoint = query.String(1);
  delivery.event_id = query.String(2);
  delivery.request_id = query.String(3);
  delivery.event_json = query.String(4);
  delivery.status = static_cast<DeliveryStatus>(query.Int(5));
  delivery.created = query.Time(6);
  delivery.attempts = static_cast<int>(query.Int(7));
  delivery.first_attempt = query.MaybeTime(8);
  delivery.held_before_first = std::chrono::milliseconds(query.Int(9));
  delivery.due = query.Time(10);
  delivery.last_status = static_cast<int>(query.Int(11));
  delivery.last_error = query.String(12);
  delivery.finished = query.MaybeTime(13);
  return delivery;
}

}  // namespace

std::vector<Delivery> Claim(GroupWriter::Access& access, const std::string& endpoint, std::size_t limit,
                            const Lease& lease) {
  Connection& connection = access.connection;
  std::vector<Delivery> claimed;
  const auto number = EndpointNumber(connection, endpoint);
  if (!number || limit == 0) return claimed;
  for (const auto& [due, id] : FreeIds(connection, *number, lease.now, limit)) {
    Query query(connection, kSelectDelivery, id);
    if (!query.Next()) continue;
    TakeLease(connection, id, *number, lease);
    claimed.push_back(ReadDelivery(query));
  }
  return claimed;
}

std::optional<Delivery> ClaimOne(GroupWriter::Access& access, std::int64_t id, const Lease& lease) {
  Connection& connection = access.connection;
  if (Query(connection, "SELECT 1 FROM lease WHERE delivery = ?1 AND until > ?2", id, lease.now).Next())
    return std::nullopt;
  const auto row = FindRow(connection, id);
  Query query(connection, kSelectDelivery, id);
  if (!row || !query.Next()) return std::nullopt;
  TakeLease(connection, id, row->endpoint, lease);
  return ReadDelivery(query);
}

void Finish(GroupWriter::Access& access, const AttemptRecord& record) {
  const auto row = FindRow(access.connection, record.delivery_id);
  if (!row) return;
  Delivery after = row->delivery;
  ApplyAttempt(after, record);
  Remember(access.connection, row->delivery, after, record);
  Settle(access, *row, after);
}

void GiveUp(GroupWriter::Access& access, std::int64_t id, SystemTime now, const std::string& reason) {
  AttemptRecord record;
  record.delivery_id = id;
  record.status = DeliveryStatus::kDead;
  record.at = now;
  record.error = reason;
  record.counted = false;
  Finish(access, record);
}

void Release(Connection& connection, const std::string& owner) {
  Query(connection, "DELETE FROM lease WHERE owner = ?1", owner).Run();
}

std::size_t MakeDue(Connection& connection, const std::string& endpoint, std::size_t limit) {
  const auto number = EndpointNumber(connection, endpoint);
  if (!number) return 0;
  std::vector<std::int64_t> ids;
  {
    Query query(
        connection,
        "SELECT id FROM delivery INDEXED BY delivery_waiting WHERE waiting = 1 AND endpoint = ?1 LIMIT ?2",
        *number, static_cast<std::int64_t>(limit));
    while (query.Next()) ids.push_back(query.Int(0));
  }
  for (const std::int64_t id : ids)
    Query(connection, "UPDATE delivery SET waiting = 0, due = created WHERE id = ?1", id).Run();
  return ids.size();
}

bool Remove(GroupWriter::Access& access, std::int64_t id) {
  Connection& connection = access.connection;
  const auto row = FindRow(connection, id);
  if (!row) return false;
  Query(connection, "DELETE FROM delivery WHERE id = ?1", id).Run();
  Query(connection, "DELETE FROM attempt WHERE delivery = ?1", id).Run();
  Query(connection, "DELETE FROM lease WHERE delivery = ?1", id).Run();
  access.ledger.Count(row->endpoint, row->delivery.status, -1);
  if (row->head) PromoteFirst(connection, row->request, row->endpoint);
  return true;
}

std::optional<SystemTime> NextDue(Connection& connection, const std::string& endpoint) {
  const auto number = EndpointNumber(connection, endpoint);
  if (!number) return std::nullopt;
  std::optional<SystemTime> next;
  const auto consider = [&](Query query) {
    if (!query.Next() || query.IsNull(0)) return;
    const SystemTime time = query.Time(0);
    next = next ? std::min(*next, time) : time;
  };
  consider(
      Query(connection,
            "SELECT d.due FROM delivery d INDEXED BY delivery_ready WHERE d.head = 1 AND d.endpoint = ?1 "
            "AND d.waiting = 0 AND d.id NOT IN (SELECT delivery FROM lease) ORDER BY d.due LIMIT 1",
            *number));
  consider(
      Query(connection,
            "SELECT d.due FROM delivery d INDEXED BY delivery_ready WHERE d.head = 1 AND d.endpoint = ?1 "
            "AND d.waiting = 1 AND d.id NOT IN (SELECT delivery FROM lease) ORDER BY d.due LIMIT 1",
            *number));
  consider(Query(connection,
                 "SELECT min(max(l.until, iif(d.waiting = 1, d.due, 0))) FROM lease l "
                 "JOIN delivery d ON d.id = l.delivery WHERE l.endpoint = ?1 AND d.head = 1",
                 *number));
  return next;
}

std::vector<Delivery> Select(Connection& connection, const DeliveryQuery& wanted) {
  std::string sql =
      "SELECT d.id FROM delivery d JOIN endpoint p ON p.number = d.endpoint "
      "JOIN request r ON r.number = d.request WHERE d.id > ?1";
  if (wanted.status) sql += " AND d.status = " + std::to_string(static_cast<int>(*wanted.status));
  if (wanted.delivery_id) sql += " AND d.id = " + std::to_string(*wanted.delivery_id);
  if (wanted.since) sql += " AND d.created >= " + std::to_string(wanted.since->time_since_epoch().count());
  if (!wanted.endpoint.empty()) sql += " AND p.name = ?2";
  if (!wanted.request_id.empty()) sql += " AND r.id = ?3";
  sql += " ORDER BY d.id LIMIT " + std::to_string(wanted.limit);
  Query ids(connection, sql);
  ids.Bind(1, wanted.after_id);
  if (!wanted.endpoint.empty()) ids.Bind(2, wanted.endpoint);
  if (!wanted.request_id.empty()) ids.Bind(3, wanted.request_id);
  std::vector<Delivery> found;
  while (ids.Next()) {
    Query query(connection, kSelectDelivery, ids.Int(0));
    if (query.Next()) found.push_back(ReadDelivery(query));
  }
  return found;
}

std::vector<AttemptRecord> Attempts(Connection& connection, std::int64_t id) {
  std::vector<AttemptRecord> attempts;
  Query query(connection,
              "SELECT at, took, status, http_status, error, due FROM attempt WHERE delivery = ?1 ORDER BY n",
              id);
  while (query.Next()) {
    AttemptRecord record;
    record.delivery_id = id;
    record.at = query.Time(0);
    record.took = std::chrono::milliseconds(query.Int(1));
    record.status = static_cast<DeliveryStatus>(query.Int(2));
    record.http_status = static_cast<int>(query.Int(3));
    record.error = query.String(4);
    record.due = query.Time(5);
    attempts.push_back(std::move(record));
  }
  if (!attempts.empty()) return attempts;
  const auto row = FindRow(connection, id);
  if (row && ToldByItself(row->delivery)) attempts.push_back(OnlyAttempt(row->delivery));
  return attempts;
}

bool Superseded(Connection& connection, std::int64_t id) {
  return Query(
             connection,
             "SELECT 1 FROM delivery d JOIN delivery o ON o.request = d.request AND o.endpoint = d.endpoint "
             "WHERE d.id = ?1 AND o.status = 1 AND o.id > ?1 LIMIT 1",
             id)
      .Next();
}

}  // namespace tw::store::outbox
