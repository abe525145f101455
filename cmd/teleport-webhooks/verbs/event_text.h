// An event as one line for a person: aligned, coloured, everything a requester typed escaped.
#pragma once

#include <string>

#include "access/event.h"
#include "cli/output.h"

namespace tw::cli {

std::string EventText(const access::Event& event, const Palette& palette);

}  // namespace tw::cli
