// A RequestBook in memory, for a single run (`watch`). Not thread-safe: the watcher's thread uses it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "access/request_book.h"

namespace tw::access {

class MemoryBook : public RequestBook {
 public:
  Result<std::optional<KnownRequest>> Find(const std::string& id) override;
  Result<std::vector<std::string>> LiveIds() override;
  Result<bool> FirstSyncDone() override { return first_sync_done_; }
  Status FinishFirstSync() override;
  // Keeps the record; the memory of requests that are gone is bounded (the oldest are forgotten).
  void Keep(const KnownRequest& known);

 private:
  std::map<std::string, KnownRequest> known_;
  std::vector<std::string> gone_;  // in the order of going
  bool first_sync_done_ = false;
};

}  // namespace tw::access
