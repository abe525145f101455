// The durable Store: one SQLite database (write-ahead log) in the state directory. Commits are on the disk
// before they return; everything else is written with the next commit or checkpoint. Several processes may
// have it open; `serve` takes the ServeLock besides (store/state_dir.h).
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/state_dir.h"
#include "store/store.h"

namespace tw::store {

struct SqliteOptions {
  bool create = true;                     // false: kNotFound when there is no store yet
  std::chrono::milliseconds busy{5'000};  // how long to wait for another process that is writing
  int cache_kib = 3'072;                  // of the writing connection; the reading one gets a third
  std::int64_t most_pages = 0;            // 0: no limit; of 4 KiB each, above it the store is full
};

// The name of the database in the state directory.
inline constexpr const char* kStoreFile = "store.db";

// The directory is made when missing (mode 0700), files have mode 0600; a directory that others may write is
// refused. Errors as described for Store; a damaged file, or one of a newer version, is not retryable.
Result<std::unique_ptr<Store>> OpenSqliteStore(const std::string& dir, SqliteOptions options = {});

}  // namespace tw::store
