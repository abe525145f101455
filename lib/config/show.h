// The merged configuration as `check --show-config` prints it. Internal to the loader.
#pragma once

#include <string>
#include <vector>

#include "config/draft.h"
#include "config/load.h"

namespace tw::config {

std::vector<ShownValue> Show(const Drafts& drafts);
// Text in TOML's basic quotes.
std::string TomlQuote(std::string_view text);

}  // namespace tw::config
