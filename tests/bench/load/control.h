// One command to a running sandbox, over its control socket.
#pragma once

#include <string>

namespace load {

// The answer, one line of JSON; ends the program when the sandbox refuses or is not there.
std::string Control(const std::string& socket, const std::string& json);

}  // namespace load
