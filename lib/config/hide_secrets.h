// A configuration for a person to look at.
#pragma once

#include <string>

namespace tw::config {

// The text with *** in place of every value that holds a secret. That is no TOML any more, so that nobody can
// take it for the file itself. Empty when `text` is not TOML.
std::string HideSecrets(const std::string& text);

}  // namespace tw::config
