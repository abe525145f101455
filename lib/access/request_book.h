// RequestBook: what an installation remembers of the requests it has reported. Ports; the store implements
// them, and `watch` uses the one in memory.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "access/access_request.h"
#include "access/event.h"
#include "base/result.h"

namespace tw::access {

// The record of one request.
struct KnownRequest {
  AccessRequest content;                       // as last seen
  bool content_known = true;                   // false: only its deletion was ever seen
  bool gone = false;                           // expired or deleted
  std::int64_t seq = 0;                        // of its last event, 0 when recorded silently
  std::optional<RequestState> reported_state;  // state in its last event
  // Legacy `State` last queued for an endpoint, by endpoint name (product.md section 3.1).
  std::map<std::string, std::string> legacy_states;
};

// A change to be committed: the new record and, unless it is recorded silently, the event.
struct Change {
  KnownRequest known;
  std::optional<Event> event;
};

class RequestBook {
 public:
  virtual ~RequestBook() = default;
  virtual Result<std::optional<KnownRequest>> Find(const std::string& id) = 0;
  // Known requests that are not gone.
  virtual Result<std::vector<std::string>> LiveIds() = 0;
  // False until FinishFirstSync: the store is new and `on_start` applies.
  virtual Result<bool> FirstSyncDone() = 0;
  virtual Status FinishFirstSync() = 0;
};

// Takes changes in order. When Commit returns success they are durable; on error nothing of the batch was
// kept, and the same batch may be offered again. A retryable error (full disk) is worth waiting for.
class ChangeSink {
 public:
  virtual ~ChangeSink() = default;
  virtual Status Commit(std::vector<Change> changes) = 0;
};

}  // namespace tw::access
