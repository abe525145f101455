// Event: one change of an access request; what `watch` prints and a webhook carries. product.md section 3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "access/access_request.h"
#include "base/clock.h"
#include "base/result.h"

namespace tw::access {

enum class EventType {
  kCreated,
  kReviewed,
  kApproved,
  kDenied,
  kPromoted,
  kUpdated,
  kExpired,
  kDeleted,
  kTest
};

std::string_view EventTypeName(EventType type);  // "access_request.created", ..., "endpoint.test"
std::optional<EventType> ParseEventType(std::string_view name);  // with or without "access_request."
bool IsGone(EventType type);                                     // expired or deleted

enum class EventSource { kWatch, kSnapshot, kResync, kTest, kManual };

std::string_view EventSourceName(EventSource source);
std::optional<EventSource> ParseEventSource(std::string_view name);

// A decision made by this installation, as the event tells it.
struct DecisionNote {
  std::string by;    // the delegator, e.g. "webhooks:carol"
  std::string via;   // "callback" or "command"
  std::string mode;  // "state" or "review"
  SystemTime at;
  bool operator==(const DecisionNote&) const = default;
};

struct Event {
  EventType type = EventType::kUpdated;
  std::string id;  // "evt_..."; names the change, not the attempt
  SystemTime timestamp;
  std::string cluster;
  EventSource source = EventSource::kWatch;
  std::int64_t seq = 0;
  AccessRequest request;
  bool content_known = true;  // false: a request that went before it was ever seen; only request.id is set
  std::optional<RequestState> previous_state;
  std::optional<DecisionNote> decision;
  std::string web_url;
};

// The event id of a change: "evt_" and a hash of cluster, request id and a word (product.md section 3, `id`).
std::string CreatedEventId(std::string_view cluster, std::string_view request_id);
std::string GoneEventId(std::string_view cluster, std::string_view request_id);
std::string ChangeEventId(std::string_view cluster, const AccessRequest& request);

}  // namespace tw::access
