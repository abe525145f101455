// Shell completions, made from the command table.
#pragma once

#include <string>

namespace tw::cli {

std::string BashCompletion();
std::string ZshCompletion();
std::string FishCompletion();

}  // namespace tw::cli
