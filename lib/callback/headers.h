// Looking into the head of a request. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "callback/http_server.h"

namespace tw::callback {

// The values of every field of that name, in order; names match in any case.
std::vector<std::string_view> FindHeaders(const HttpRequest& request, std::string_view name);
// The value when the field is there exactly once.
std::optional<std::string_view> FindHeader(const HttpRequest& request, std::string_view name);

}  // namespace tw::callback
