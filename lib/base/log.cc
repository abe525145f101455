#include "base/log.h"

#include "base/text.h"

namespace tw {

std::optional<LogLevel> ParseLogLevel(std::string_view text) {
  const std::string word = AsciiLower(text);
  if (word == "debug") return LogLevel::kDebug;
  if (word == "info") return LogLevel::kInfo;
  if (word == "warn" || word == "warning") return LogLevel::kWarning;
  if (word == "err" || word == "error") return LogLevel::kError;
  return std::nullopt;
}

}  // namespace tw
