// Reading one value by the type of its key, from TOML or from one word of text. Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "config/document.h"
#include "config/keys.h"

namespace tw::config {

// What is wrong with a value, and what to write instead. Never holds the value of a secret.
struct Complaint {
  std::string what;
  std::string hint;
  Place place;  // of the offending part, when it is inside the value
};

using Parsed = std::variant<Setting, Complaint>;

Parsed ParseSetting(const KeySpec& spec, const Value& value);
// From the environment or --set: lists are words separated by commas. `spec.scalar()` must hold.
Parsed ParseSettingText(const KeySpec& spec, std::string_view text);
// From the file that `<key>_file` names: the newline at the end is dropped; lists of secrets hold one a line,
// headers one "Name: value" a line.
Parsed ParseSettingFile(const KeySpec& spec, std::string_view text);

}  // namespace tw::config
