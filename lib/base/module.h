// Private modules: adapters whose third-party library is slow to load (libcurl, libmicrohttpd) live in shared
// objects of their own, so that verbs which do not need them start fast. A module exports one extern "C"
// factory.
#pragma once

#include <string>

#include "base/result.h"

namespace tw {

// Loads `file` (found through the program's run path) and returns the address of `symbol`. The module stays
// loaded. Error: kFailure naming file and reason.
Result<void*> LoadModuleSymbol(const std::string& file, const std::string& symbol);

}  // namespace tw
