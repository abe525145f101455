// Durations and times as text.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace tw {

// "10s", "5m", "1h30m", "250ms", "7d"; a bare number is refused except "0".
Result<std::chrono::milliseconds> ParseDuration(std::string_view text);
// The shortest form that ParseDuration reads back: "1h30m", "250ms", "0s".
std::string FormatDuration(std::chrono::milliseconds duration);

// RFC 3339 in UTC with milliseconds, e.g. 2026-11-22T10:00:00.123Z.
std::string FormatTime(SystemTime time);
// RFC 3339 with any offset and fraction (cut to microseconds), in the years 1 to 9999 of UTC.
Result<SystemTime> ParseTime(std::string_view text);
// An HTTP date (RFC 9110, all three forms), e.g. "Sun, 06 Nov 1994 08:49:37 GMT".
Result<SystemTime> ParseHttpDate(std::string_view text);

}  // namespace tw
