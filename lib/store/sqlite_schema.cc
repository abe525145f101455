#include "store/sqlite_schema.h"

#include <fmt/format.h>

namespace tw::store {
namespace {

// Marks the file as ours ("twhs") for file(1) and against mix-ups.
constexpr std::int64_t kApplicationId = 0x74776873;

// Times are microseconds since 1970, UTC. Small integers stand for requests and endpoints, so that the
// indexes, which a burst appends to, stay narrow.
//
// delivery.status: 0 pending, 1 delivered, 2 dead. delivery.head = 1: pending and the first of its request
// for its endpoint, hence free to go. delivery.waiting = 1: backed off, not before `due`; the others go in
// the order of `due`, which is when they were committed. Leases have a table of their own: it never holds
// more rows than there are attempts under way, and taking one does not touch the delivery.
constexpr const char* kFirst = R"sql(
CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) WITHOUT ROWID;
CREATE TABLE request (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, gone_at INTEGER, record BLOB NOT NULL);
CREATE INDEX request_gone ON request (gone_at);
CREATE TABLE endpoint (
  number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  pending INTEGER NOT NULL DEFAULT 0, delivered INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0,
  known INTEGER NOT NULL DEFAULT 0, url_digest TEXT NOT NULL DEFAULT '', hold INTEGER NOT NULL DEFAULT 0,
  hold_since INTEGER, hold_until INTEGER, held_total INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0, trips INTEGER NOT NULL DEFAULT 0,
  last_answer TEXT NOT NULL DEFAULT '', last_answer_at INTEGER);
CREATE TABLE event (
  number INTEGER PRIMARY KEY, request INTEGER NOT NULL, id TEXT NOT NULL, created INTEGER NOT NULL,
  json TEXT NOT NULL, UNIQUE (request, id));
CREATE TABLE delivery (
  id INTEGER PRIMARY KEY AUTOINCREMENT, endpoint INTEGER NOT NULL, request INTEGER NOT NULL,
  event INTEGER NOT NULL, status INTEGER NOT NULL, head INTEGER NOT NULL, waiting INTEGER NOT NULL,
  created INTEGER NOT NULL, due INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
  first_attempt INTEGER, held INTEGER NOT NULL DEFAULT 0, last_status INTEGER NOT NULL DEFAULT 0,
  last_error TEXT NOT NULL DEFAULT '', finished INTEGER);
CREATE INDEX delivery_ready ON delivery (endpoint, waiting, due) WHERE head = 1;
CREATE INDEX delivery_waiting ON delivery (endpoint, created) WHERE waiting = 1;
CREATE INDEX delivery_chain ON delivery (request, endpoint, status);
CREATE INDEX delivery_dead ON delivery (status) WHERE status = 2;
CREATE TABLE lease (
  delivery INTEGER PRIMARY KEY, endpoint INTEGER NOT NULL, owner TEXT NOT NULL, until INTEGER NOT NULL);
CREATE TABLE attempt (
  delivery INTEGER NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL, took INTEGER NOT NULL,
  status INTEGER NOT NULL, http_status INTEGER NOT NULL, error TEXT NOT NULL, due INTEGER NOT NULL,
  PRIMARY KEY (delivery, n)) WITHOUT ROWID;
CREATE TABLE decision (
  number INTEGER PRIMARY KEY, request_id TEXT NOT NULL, state INTEGER NOT NULL, by TEXT NOT NULL,
  via TEXT NOT NULL, mode TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX decision_request ON decision (request_id, state);
CREATE TABLE replay (
  caller TEXT NOT NULL, webhook_id TEXT NOT NULL, body_digest BLOB NOT NULL, status INTEGER NOT NULL,
  content_type TEXT NOT NULL, body BLOB NOT NULL, forget_after INTEGER NOT NULL,
  PRIMARY KEY (caller, webhook_id)) WITHOUT ROWID;
CREATE INDEX replay_forget ON replay (forget_after);
)sql";

constexpr const char* kSteps[] = {kFirst};

[[noreturn]] void Refuse(std::string message, std::string hint) {
  throw StorageError(Error::Failure(std::move(message), std::move(hint)));
}

void Migrate(Connection& connection, std::span<const char* const> steps, std::int64_t from) {
  for (std::size_t i = static_cast<std::size_t>(from); i < steps.size(); ++i) connection.Execute(steps[i]);
  connection.Execute(
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, steps.size()));
}

}  // namespace

std::span<const char* const> SchemaSteps() {
  return kSteps;
}

void BringUpToDate(Connection& connection, std::span<const char* const> steps) {
  const auto current = static_cast<std::int64_t>(steps.size());
  if (connection.Number("PRAGMA user_version") == current &&
      connection.Number("PRAGMA application_id") == kApplicationId) {
    return;
  }
  connection.Execute("BEGIN IMMEDIATE");
  try {
    // Asked again under the lock: two programs may have opened a new file at the same moment.
    const std::int64_t version = connection.Number("PRAGMA user_version");
    const std::int64_t application = connection.Number("PRAGMA application_id");
    const bool empty = connection.Number("SELECT count(*) FROM sqlite_schema") == 0;
    if (!empty && application != kApplicationId) {
      Refuse(connection.path() + " is not a store of teleport-webhooks", "choose another state.dir");
    }
    if (version > current) {
      Refuse(fmt::format("{} was written by a newer version: its schema is {}, this program knows up to {}",
                         connection.path(), version, current),
             "use the newer program, or another state.dir");
    }
    Migrate(connection, steps, version);
    connection.Execute("COMMIT");
  } catch (...) {
    if (connection.InTransaction()) connection.Execute("ROLLBACK");
    throw;
  }
}

}  // namespace tw::store
