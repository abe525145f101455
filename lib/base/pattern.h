// Patterns of names: exact, or with * for any run of characters. Case counts.
#pragma once

#include <string_view>

namespace tw {

bool MatchesPattern(std::string_view pattern, std::string_view text);

}  // namespace tw
