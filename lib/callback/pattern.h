// Lists of patterns of role, user and certificate names (base/pattern.h).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/pattern.h"

namespace tw::callback {

bool MatchesAny(std::span<const std::string> patterns, std::string_view text);

}  // namespace tw::callback
