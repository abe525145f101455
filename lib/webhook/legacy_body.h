// The body of the original plugin, and its form-encoded sibling. Pure, any thread. Facts: original-plugin.md
// A.4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "access/event.h"
#include "base/result.h"

namespace tw::webhook {

// What the configuration adds to a body.
struct BodyContext {
  bool notify_only = false;
  std::string public_addr;  // http.public_addr as written, without user info
};

// Go's time.Time{}.Unix(): what the original sent for a request without a creation time.
inline constexpr std::int64_t kNoCreationTime = -62'135'596'800;

struct LegacyFields {
  std::string cluster;
  std::string request_id;
  std::string user;
  std::vector<std::string> roles;
  std::int64_t created_at = kNoCreationTime;  // Unix seconds
  std::string state;                          // as LegacyState says
};

// "Pending", "Approved", "Denied", "Promoted", "Deleted", "Expired"; "" for no state; else the state's
// number.
std::string LegacyState(access::EventType type, access::RequestState state);
inline std::string LegacyState(const access::Event& event) {
  return LegacyState(event.type, event.request.state);
}

// Reads what a legacy body needs from an event's JSON, without building the whole event. Error: kUsage.
Result<LegacyFields> ReadLegacyFields(std::string_view event_json);

std::string LegacyJson(const LegacyFields& fields, const BodyContext& context);
// payload=<LegacyJson> and one field for each of its keys; roles are joined by commas.
std::string LegacyForm(const LegacyFields& fields, const BodyContext& context);

}  // namespace tw::webhook
