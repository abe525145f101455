// The checks of text values, by type. Used by setting.cc only.
#pragma once

#include <string_view>

#include "config/setting.h"

namespace tw::config {

Parsed ParseTextValue(const KeySpec& spec, std::string_view text);
Parsed ParseTextList(const KeySpec& spec, const std::vector<std::string>& texts);
// One extra request header; nullopt when it is fine.
std::optional<Complaint> CheckHeader(std::string_view name, std::string_view value);
// The canonical name of a state in any case; nullopt when there is none.
std::optional<std::string> CanonicalState(std::string_view name);
Complaint UnknownWord(std::string_view word, std::string_view what, std::span<const std::string_view> known);
bool Printable(std::string_view text);

}  // namespace tw::config
