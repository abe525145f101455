// AccessRequest: what Teleport knows of one access request, in this program's own terms. Plain values, any
// thread. Facts: reference page sections 2.4 and 2.5.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace tw::access {

// Open enum: numbers that this version does not know pass through unchanged.
enum class RequestState : std::int32_t { kNone = 0, kPending = 1, kApproved = 2, kDenied = 3, kPromoted = 4 };

// "PENDING", "APPROVED", "DENIED", "PROMOTED"; any other number as its digits.
std::string StateName(RequestState state);
// The reverse; names in any case. Nullopt for text that is neither a name nor a number.
std::optional<RequestState> ParseState(std::string_view text);
bool IsResolved(RequestState state);  // approved, denied or promoted

using Annotations = std::map<std::string, std::vector<std::string>>;

struct ResourceId {
  std::string cluster;
  std::string kind;
  std::string name;
  std::string sub_resource;
  bool operator==(const ResourceId&) const = default;
};

struct Review {
  std::string author;
  RequestState state = RequestState::kNone;
  std::string reason;
  std::vector<std::string> roles;
  std::optional<SystemTime> created;
  std::optional<SystemTime> assume_start_time;
  Annotations annotations;
  bool operator==(const Review&) const = default;
};

struct Threshold {
  std::string name;
  std::uint32_t approve = 0;
  std::uint32_t deny = 0;
  std::string filter;
  bool operator==(const Threshold&) const = default;
};

struct AccessList {
  std::string name;
  std::string title;
  bool operator==(const AccessList&) const = default;
};

struct AccessRequest {
  std::string id;
  std::string user;
  std::vector<std::string> roles;
  RequestState state = RequestState::kNone;
  std::string reason;
  std::string resolve_reason;
  std::optional<SystemTime> created;
  std::optional<SystemTime> expires;         // end of the request: spec.ResourceExpiry, else metadata.Expires
  std::optional<SystemTime> access_expires;  // end of what it grants: spec.Expires
  std::optional<SystemTime> max_duration;
  std::optional<SystemTime> session_ttl;
  std::optional<SystemTime> assume_start_time;
  std::vector<ResourceId> resources;  // field 26 when present, else field 14 without the sentinel
  std::vector<std::string> suggested_reviewers;
  std::vector<Review> reviews;
  std::vector<Threshold> thresholds;
  Annotations system_annotations;
  Annotations resolve_annotations;
  std::string login_hint;
  std::optional<AccessList> access_list;
  std::int32_t kind = 0;  // 0 undefined, 1 short term, 2 long term
  bool dry_run = false;
  std::string revision;          // opaque; changes with every write
  std::int64_t metadata_id = 0;  // up to Teleport 16
};

// Equal in everything a receiver can see; `revision` and `metadata_id` do not count.
bool SameContent(const AccessRequest& a, const AccessRequest& b);

}  // namespace tw::access
