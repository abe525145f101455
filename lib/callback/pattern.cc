#include "callback/pattern.h"

#include <algorithm>

namespace tw::callback {

bool MatchesAny(std::span<const std::string> patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return MatchesPattern(pattern, text); });
}

}  // namespace tw::callback
