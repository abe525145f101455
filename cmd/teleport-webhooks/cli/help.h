// Help texts, made from the command table.
#pragma once

#include <string>

#include "cli/spec.h"

namespace tw::cli {

std::string ProgramHelp();
std::string CommandHelp(const Command& command);

}  // namespace tw::cli
