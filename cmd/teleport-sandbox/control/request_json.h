// An access request as JSON text and as lines for a person: what `list` and `show` print. Pure, any thread.
#pragma once

#include <string>

#include "model/request.h"

namespace tw::sandbox {

// One object on one line; times RFC 3339, states by name, lists always present.
std::string RequestJson(const Request& request, const std::string& delegator);

}  // namespace tw::sandbox
