// Patterns of role, user and certificate names: exact, or with * for any run of characters. Case counts.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tw::callback {

bool MatchesPattern(std::string_view pattern, std::string_view text);
bool MatchesAny(std::span<const std::string> patterns, std::string_view text);

}  // namespace tw::callback
