// What the verbs print. Data goes to stdout, everything else to stderr.
#pragma once

#include <string>

#include "base/error.h"

namespace tw::sandbox {

// The answer to a call of `verb` (JSON text of its result), as text for a person or a script.
std::string FormatResult(const std::string& verb, const std::string& result);
// "teleport-sandbox: message" and the hint, escaped.
std::string FormatError(const Error& error);

}  // namespace tw::sandbox
