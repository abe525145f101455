#include "store/sqlite_connection.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <utility>

namespace tw::store {
namespace {

struct Words {
  const char* what;
  const char* hint;
  bool retryable;
};

// What a person can do about a failure of the file; by primary result code.
Words Explain(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {"no room left on the disk", "free some space; work goes on by itself", true};
    case SQLITE_IOERR:
      return {"the disk refused to read or write", "look at the disk and its quota; it is tried again", true};
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {"the store is read-only", "make the directory and its files writable for this user", true};
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return {"the store cannot be opened", "look at the directory, its owner and its mode", true};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {"the store is held by another process", "end the other program that has it open", true};
    case SQLITE_NOMEM:
      return {"out of memory", "", true};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {"the store is damaged or not a store",
              "restore a copy, or move the file away to start anew (what waits in it is lost)", false};
    default:
      return {"the store failed", "", false};
  }
}

}  // namespace

Connection::Connection(std::string path, std::chrono::milliseconds busy) : path_(std::move(path)) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
  const int opened = sqlite3_open_v2(path_.c_str(), &db_, flags, nullptr);
  try {
    if (opened != SQLITE_OK) Fail(opened, "open");
    sqlite3_extended_result_codes(db_, 1);
    sqlite3_busy_timeout(db_, static_cast<int>(busy.count()));
    if (sqlite3_db_readonly(db_, "main") == 1) Fail(SQLITE_READONLY, "open");
  } catch (...) {
    sqlite3_close_v2(db_);
    throw;
  }
}

Connection::~Connection() {
  for (const auto& [sql, statement] : cache_) sqlite3_finalize(statement);
  sqlite3_close_v2(db_);
}

void Connection::Fail(int code, std::string_view doing) const {
  const Words words = Explain(code);
  // Not every code that is told here failed a call on the connection.
  const bool told = db_ != nullptr && sqlite3_errcode(db_) != SQLITE_OK;
  const char* detail = told ? sqlite3_errmsg(db_) : sqlite3_errstr(code);
  throw StorageError(Error{ErrorKind::kFailure,
                           fmt::format("{}: {} ({}: {}, code {})", path_, words.what, doing, detail, code),
                           words.hint, words.retryable});
}

void Connection::Execute(const std::string& sql) {
  const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) Fail(code, "execute");
}

std::int64_t Connection::Number(const char* sql) {
  Query query(*this, sql);
  return query.Next() ? query.Int(0) : 0;
}

std::int64_t Connection::LastId() const {
  return sqlite3_last_insert_rowid(db_);
}

bool Connection::Changed() const {
  return sqlite3_changes(db_) > 0;
}

bool Connection::InTransaction() const {
  return sqlite3_get_autocommit(db_) == 0;
}

sqlite3_stmt* Connection::Compile(std::string_view sql, bool keep) {
  sqlite3_stmt* statement = nullptr;
  const unsigned flags = keep ? SQLITE_PREPARE_PERSISTENT : 0;
  const int code =
      sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), flags, &statement, nullptr);
  if (code != SQLITE_OK) Fail(code, "prepare");
  return statement;
}

sqlite3_stmt* Connection::Cached(const char* sql) {
  const auto found = cache_.find(sql);
  if (found != cache_.end()) return found->second;
  sqlite3_stmt* statement = Compile(sql, true);
  cache_.emplace(sql, statement);
  return statement;
}

Query::Query(Connection& connection, const std::string& sql)
    : connection_(connection), statement_(connection.Compile(sql, false)), owned_(true) {}

Query::~Query() {
  if (owned_) {
    sqlite3_finalize(statement_);
  } else {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
}

void Query::Check(int code) const {
  if (code != SQLITE_OK) connection_.Fail(code, "bind");
}

bool Query::Next() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) connection_.Fail(code, "step");
  return false;
}

std::int64_t Query::Int(int column) const {
  return sqlite3_column_int64(statement_, column);
}

bool Query::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::string_view Query::Text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string_view() : std::string_view(bytes, static_cast<std::size_t>(size));
}

std::optional<SystemTime> Query::MaybeTime(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Time(column);
}

void Query::Bind(int index, std::int64_t value) {
  Check(sqlite3_bind_int64(statement_, index, value));
}

void Query::Bind(int index, std::string_view value) {
  const char* data = value.data() == nullptr ? "" : value.data();
  Check(sqlite3_bind_text64(statement_, index, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Query::Bind(int index, Blob value) {
  const char* data = value.bytes.data() == nullptr ? "" : value.bytes.data();
  Check(sqlite3_bind_blob64(statement_, index, data, value.bytes.size(), SQLITE_TRANSIENT));
}

void Query::Bind(int index, const std::optional<SystemTime>& value) {
  if (value) {
    Bind(index, *value);
  } else {
    Check(sqlite3_bind_null(statement_, index));
  }
}

}  // namespace tw::store
