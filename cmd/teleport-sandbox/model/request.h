// An access request as the stand-in Auth Service keeps it. Plain values; facts: reference page
// sections 2.4, 2.5.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace tw::sandbox {

enum class State : std::int32_t { kNone = 0, kPending = 1, kApproved = 2, kDenied = 3, kPromoted = 4 };

std::string_view StateName(State state);                 // "PENDING"; "NONE" for kNone
std::optional<State> ParseState(std::string_view text);  // upper case, as filters write it
inline bool IsResolved(State s) {
  return s == State::kApproved || s == State::kDenied || s == State::kPromoted;
}

using Annotations = std::map<std::string, std::vector<std::string>>;

struct Resource {
  std::string cluster;
  std::string kind;
  std::string name;
  std::string sub_resource;

  std::string Text() const;  // "/cluster/kind/name[/sub]"
};

// "/cluster/kind/name" or "/cluster/kind/name/sub".
std::optional<Resource> ParseResource(std::string_view text);

struct AccessList {
  std::string name;
  std::string title;
};

struct Threshold {
  std::string name;
  std::uint32_t approve = 0;
  std::uint32_t deny = 0;
};

struct Review {
  std::string author;
  State proposed = State::kNone;
  std::string reason;
  std::optional<SystemTime> created;
  std::optional<SystemTime> assume_start_time;
  std::optional<AccessList> access_list;
  std::vector<std::uint32_t> threshold_indexes;
};

// For each role: sets of threshold indexes, of every one of which at least one threshold must be met.
using RoleThresholds = std::map<std::string, std::vector<std::vector<std::uint32_t>>>;

struct Request {
  std::string id;
  std::string user;
  std::vector<std::string> roles;
  State state = State::kPending;
  SystemTime created;
  SystemTime expires;         // end of the request itself
  SystemTime access_expires;  // end of what it grants
  std::string request_reason;
  std::string resolve_reason;
  Annotations resolve_annotations;
  Annotations system_annotations;
  std::vector<Threshold> thresholds;
  RoleThresholds role_thresholds;
  std::vector<Review> reviews;
  std::vector<std::string> suggested_reviewers;
  std::vector<Resource> resources;
  std::string login_hint;
  bool dry_run = false;
  std::optional<SystemTime> max_duration;
  std::optional<SystemTime> session_ttl;
  std::optional<SystemTime> assume_start_time;
  std::optional<AccessList> access_list;
  std::int32_t kind = 0;
  std::int64_t metadata_id = 0;  // changes with every write, as the revision does
  std::string revision;
};

using RequestPtr = std::shared_ptr<const Request>;

}  // namespace tw::sandbox
