// The command "fault": misbehaviour by name. Any thread.
#pragma once

#include <string>

#include "sandbox.h"

namespace tw::sandbox {

// `json`: {"kind":"end-streams","status":"unavailable","after":5,...}. Error: kUsage for what it does not
// know.
Status HandleFault(Sandbox& sandbox, const std::string& json);

}  // namespace tw::sandbox
