#include "store/sqlite_books.h"

#include <algorithm>

#include "store/record_codec.h"

namespace tw::store::books {
namespace {

std::optional<SystemTime> OldestPending(Connection& connection, std::int64_t endpoint) {
  std::optional<SystemTime> oldest;
  const auto consider = [&](Query query) {
    if (!query.Next() || query.IsNull(0)) return;
    const SystemTime time = query.Time(0);
    oldest = oldest ? std::min(*oldest, time) : time;
  };
  // The oldest of a request is its head, and `due` of one that was not put off is when it was committed.
  consider(Query(connection,
                 "SELECT min(due) FROM delivery INDEXED BY delivery_ready "
                 "WHERE head = 1 AND endpoint = ?1 AND waiting = 0",
                 endpoint));
  consider(Query(connection,
                 "SELECT min(created) FROM delivery INDEXED BY delivery_waiting "
                 "WHERE waiting = 1 AND endpoint = ?1",
                 endpoint));
  return oldest;
}

EndpointState ReadState(const Query& query) {
  EndpointState state;
  state.endpoint = query.String(0);
  state.url_digest = query.String(1);
  state.hold = static_cast<HoldKind>(query.Int(2));
  state.hold_since = query.MaybeTime(3);
  state.hold_until = query.MaybeTime(4);
  state.held_total = std::chrono::milliseconds(query.Int(5));
  state.consecutive_failures = static_cast<int>(query.Int(6));
  state.breaker_trips = static_cast<int>(query.Int(7));
  state.last_answer = query.String(8);
  state.last_answer_at = query.MaybeTime(9);
  return state;
}

}  // namespace

std::optional<access::KnownRequest> FindRequest(Connection& connection, const std::string& id) {
  Query query(connection, "SELECT record FROM request WHERE id = ?1", id);
  if (!query.Next()) return std::nullopt;
  auto record = DecodeRecord(query.Text(0));
  if (!record) throw StorageError(record.error().Within(connection.path() + ": access request " + id));
  return std::move(*record);
}

std::vector<std::string> LiveIds(Connection& connection) {
  std::vector<std::string> ids;
  Query query(connection, "SELECT id FROM request INDEXED BY request_gone WHERE gone_at IS NULL");
  while (query.Next()) ids.push_back(query.String(0));
  return ids;
}

bool FirstSyncDone(Connection& connection) {
  return Query(connection, "SELECT 1 FROM meta WHERE key = 'first_sync_done'").Next();
}

void FinishFirstSync(Connection& connection) {
  Query(connection, "INSERT OR IGNORE INTO meta (key, value) VALUES ('first_sync_done', 1)").Run();
}

void RememberDecision(Connection& connection, const access::Decision& decision, SystemTime at) {
  Query(connection,
        "INSERT INTO decision (request_id, state, by, via, mode, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        decision.request_id, static_cast<int>(decision.state), decision.delegator, decision.via,
        access::DecisionModeName(decision.mode), at)
      .Run();
}

void WithdrawDecision(Connection& connection, const std::string& request_id, access::RequestState state) {
  Query(connection,
        "DELETE FROM decision WHERE number = "
        "(SELECT max(number) FROM decision WHERE request_id = ?1 AND state = ?2)",
        request_id, static_cast<int>(state))
      .Run();
}

std::optional<access::DecisionNote> FindDecision(Connection& connection, const std::string& request_id,
                                                 access::RequestState state) {
  Query query(connection,
              "SELECT by, via, mode, at FROM decision WHERE request_id = ?1 AND state = ?2 "
              "ORDER BY number DESC LIMIT 1",
              request_id, static_cast<int>(state));
  if (!query.Next()) return std::nullopt;
  return access::DecisionNote{query.String(0), query.String(1), query.String(2), query.Time(3)};
}

std::optional<EndpointState> FindEndpoint(Connection& connection, const std::string& name) {
  Query query(connection,
              "SELECT name, url_digest, hold, hold_since, hold_until, held_total, failures, trips, "
              "last_answer, last_answer_at FROM endpoint WHERE name = ?1 AND known = 1",
              name);
  if (!query.Next()) return std::nullopt;
  return ReadState(query);
}

void SaveEndpoint(GroupWriter::Access& access, const EndpointState& state) {
  const std::int64_t number = access.ledger.NumberOf(access.connection, state.endpoint);
  Query(access.connection,
        "UPDATE endpoint SET known = 1, url_digest = ?2, hold = ?3, hold_since = ?4, hold_until = ?5, "
        "held_total = ?6, failures = ?7, trips = ?8, last_answer = ?9, last_answer_at = ?10 "
        "WHERE number = ?1",
        number, Blob{state.url_digest}, static_cast<int>(state.hold), state.hold_since, state.hold_until,
        state.held_total, state.consecutive_failures, state.breaker_trips, state.last_answer,
        state.last_answer_at)
      .Run();
}

std::vector<QueueSummary> Summaries(Connection& connection) {
  std::vector<QueueSummary> summaries;
  Query query(connection,
              "SELECT name, url_digest, hold, hold_since, hold_until, held_total, failures, trips, "
              "last_answer, last_answer_at, number, pending, delivered, dead FROM endpoint "
              "WHERE known = 1 OR pending + delivered + dead > 0 ORDER BY name");
  while (query.Next()) {
    QueueSummary summary;
    summary.state = ReadState(query);
    summary.endpoint = summary.state.endpoint;
    summary.pending = query.Int(11);
    summary.delivered = query.Int(12);
    summary.dead = query.Int(13);
    summary.oldest_pending = OldestPending(connection, query.Int(10));
    summaries.push_back(std::move(summary));
  }
  return summaries;
}

std::optional<ReplayAnswer> FindReplay(Connection& connection, const std::string& caller,
                                       const std::string& webhook_id) {
  Query query(connection,
              "SELECT body_digest, status, content_type, body FROM replay "
              "WHERE caller = ?1 AND webhook_id = ?2",
              caller, webhook_id);
  if (!query.Next()) return std::nullopt;
  return ReplayAnswer{query.String(0), static_cast<int>(query.Int(1)), query.String(2), query.String(3)};
}

void SaveReplay(Connection& connection, const std::string& caller, const std::string& webhook_id,
                const ReplayAnswer& answer, SystemTime forget_after) {
  Query(connection,
        "INSERT OR REPLACE INTO replay (caller, webhook_id, body_digest, status, content_type, body, "
        "forget_after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        caller, webhook_id, Blob{answer.body_digest}, answer.status, answer.content_type, Blob{answer.body},
        forget_after)
      .Run();
}

}  // namespace tw::store::books
