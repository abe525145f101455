// A thin cover over one SQLite connection: cached statements, typed binding, and errors in plain words. The
// only file pair that knows sqlite3.h. Inside the store adapter failures are thrown as StorageError and
// become a Result at the edge of the Store. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tw::store {

struct StorageError : std::exception {
  explicit StorageError(Error e) : error(std::move(e)) {}
  const char* what() const noexcept override { return error.message.c_str(); }
  Error error;
};

struct Blob {
  std::string_view bytes;
};

class Connection {
 public:
  // The file must exist. `busy`: how long to wait for another process at most.
  Connection(std::string path, std::chrono::milliseconds busy);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs any number of statements without results. Not cached.
  void Execute(const std::string& sql);
  std::int64_t Number(const char* sql);  // first column of the first row, 0 without one
  std::int64_t LastId() const;
  bool Changed() const;  // did the last statement change a row?
  bool InTransaction() const;
  const std::string& path() const { return path_; }

 private:
  friend class Query;
  sqlite3_stmt* Cached(const char* sql);
  sqlite3_stmt* Compile(std::string_view sql, bool keep);
  [[noreturn]] void Fail(int code, std::string_view doing) const;

  std::string path_;
  sqlite3* db_ = nullptr;
  // By address: statements come from string literals.
  std::unordered_map<const char*, sqlite3_stmt*> cache_;
};

// One use of a statement; reset when it goes out of scope. Values are copied when bound; columns count from
// 0.
class Query {
 public:
  template <class... Values>
  Query(Connection& connection, const char* sql, const Values&... values)
      : connection_(connection), statement_(connection.Cached(sql)) {
    int index = 0;
    (Bind(++index, values), ...);
  }
  // For text made at run time: compiled for this use only. Bind by hand.
  Query(Connection& connection, const std::string& sql);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  bool Next();  // false: no more rows
  void Run() {
    while (Next()) {
    }
  }

  std::int64_t Int(int column) const;
  bool IsNull(int column) const;
  std::string_view Text(int column) const;  // valid until the next step
  std::string String(int column) const { return std::string(Text(column)); }
  SystemTime Time(int column) const { return SystemTime(std::chrono::microseconds(Int(column))); }
  std::optional<SystemTime> MaybeTime(int column) const;

  void Bind(int index, std::int64_t value);
  void Bind(int index, int value) { Bind(index, std::int64_t{value}); }
  void Bind(int index, bool value) { Bind(index, std::int64_t{value}); }
  void Bind(int index, std::string_view value);
  void Bind(int index, const std::string& value) { Bind(index, std::string_view(value)); }
  void Bind(int index, const char* value) { Bind(index, std::string_view(value)); }
  void Bind(int index, Blob value);
  void Bind(int index, SystemTime value) { Bind(index, std::int64_t{value.time_since_epoch().count()}); }
  void Bind(int index, std::chrono::milliseconds value) { Bind(index, std::int64_t{value.count()}); }
  void Bind(int index, const std::optional<SystemTime>& value);

 private:
  void Check(int code) const;

  Connection& connection_;
  sqlite3_stmt* statement_;
  bool owned_ = false;
};

}  // namespace tw::store
