// One log record as a line without its newline; fields without a value are left out. Pure functions, any
// thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"

namespace tw::logging {

// Control characters of message and values are escaped; values are quoted when a reader could not tell their
// end.
std::string FormatText(SystemTime time, LogLevel level, std::string_view message,
                       std::span<const LogField> fields, bool color);
// Plain ASCII; bytes that are not UTF-8 become U+FFFD. A field named like a fixed key gets a "_" behind its
// name.
std::string FormatJson(SystemTime time, LogLevel level, std::string_view message,
                       std::span<const LogField> fields);

}  // namespace tw::logging
