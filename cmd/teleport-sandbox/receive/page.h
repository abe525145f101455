// How a received webhook looks: as a page, as text for a terminal, as a line of JSON. Pure, any thread.
#pragma once

#include <string>
#include <vector>

#include "receive/receiver.h"

namespace tw::sandbox {

// The whole page; everything that came over the network is escaped.
std::string RenderPage(const std::vector<Received>& last, std::uint64_t count);
// Request line, headers, body and verdict, control characters escaped; ends with an empty line.
std::string RenderText(const Received& received);
// {"method","path","headers","body","valid",...} on one line. `body` is the JSON value when it is one, else a
// string; `valid` is null when no key was given, else `signature` says why.
std::string RenderJson(const Received& received);

}  // namespace tw::sandbox
