// The tables of the store and how an older store becomes a current one.
#pragma once

#include <span>

#include "store/sqlite_connection.h"

namespace tw::store {

// Step i turns a store of version i into version i + 1; version 0 is an empty file.
std::span<const char* const> SchemaSteps();

// Runs the steps that the file still lacks, all of them in one transaction. Throws StorageError: a file of
// another program, a store written by a newer version (both not retryable), and failures of the disk.
void BringUpToDate(Connection& connection, std::span<const char* const> steps);

}  // namespace tw::store
