// Routes of the callback listener (product.md section 5) from method and request target. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tw::callback {

enum class RouteKind {
  kLegacy,   // POST /
  kApprove,  // POST /v1/requests/{id}/approve
  kDeny,     // POST /v1/requests/{id}/deny
  kShow,     // GET or HEAD /v1/requests/{id}
  kStatus,   // GET or HEAD /status
  kUnknown,  // 404
  kMethod,   // 405, `allow` tells what is possible
};

struct Route {
  RouteKind kind = RouteKind::kUnknown;
  std::string request_id;  // decoded; may be empty or unfit: see UsableId
  std::string_view allow;
};

Route FindRoute(std::string_view method, std::string_view target);

// Could this be the id of an access request? Not empty, at most 256 bytes, UTF-8 without control characters
// or slashes. Teleport's ids are UUIDs, but that is its own affair.
bool UsableId(std::string_view id);

}  // namespace tw::callback
