// The commands that a running sandbox takes: one JSON object in, one JSON object out. Any thread.
// In: {"command":"approve","id":"...","reason":"..."}. Out: {"ok":true,"result":...} or
// {"ok":false,"error":{"exit":5,"message":"..."}}.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "sandbox.h"

namespace tw::sandbox {

// `stop_asked` is called for the command "stop".
std::string HandleCommand(Sandbox& sandbox, const std::string& line, const std::function<void()>& stop_asked,
                          std::stop_token stop);

}  // namespace tw::sandbox
