// Events and requests as JSON: one line, keys in the order of product.md section 3. Reading is tolerant of
// unknown keys, so that events written by a later version still load; wrong types are errors (kUsage).
#pragma once

#include <string>
#include <string_view>

#include "access/event.h"

namespace tw::access {

std::string EventToJson(const Event& event);
Result<Event> EventFromJson(std::string_view json);

// The `data` object of an event about this request. `previous_state` and `decision` are not part of it.
std::string RequestToJson(const AccessRequest& request, std::string_view web_url = {});
Result<AccessRequest> RequestFromJson(std::string_view json);

}  // namespace tw::access
