#include "logging/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/duration.h"
#include "base/text.h"

namespace tw::logging {
namespace {

struct LevelLook {
  std::string_view text;  // padded to the longest
  std::string_view json;
  std::string_view color;  // ECMA-48 select graphic rendition
};
constexpr LevelLook kLooks[] = {{"DEBUG", "debug", "\x1b[2m"},
                                {"INFO ", "info", "\x1b[32m"},
                                {"WARN ", "warn", "\x1b[33m"},
                                {"ERROR", "error", "\x1b[31m"}};
constexpr std::string_view kPlain = "\x1b[0m";

const LevelLook& Look(LogLevel level) {
  return kLooks[static_cast<std::size_t>(level)];
}

bool NeedsQuotes(std::string_view value) {
  return value.find_first_of(" \"=\\") != std::string_view::npos || EscapeControls(value) != value;
}

void AppendValue(std::string& out, std::string_view value) {
  if (!NeedsQuotes(value)) {
    out += value;
    return;
  }
  std::string guarded;
  for (const char c : value) {
    if (c == '"' || c == '\\') guarded += '\\';
    guarded += c;
  }
  out += '"';
  out += EscapeControls(guarded);
  out += '"';
}

}  // namespace

std::string FormatText(SystemTime time, LogLevel level, std::string_view message,
                       std::span<const LogField> fields, bool color) {
  const LevelLook& look = Look(level);
  std::string out = FormatTime(time);
  out += ' ';
  if (color) out += look.color;
  out += look.text;
  if (color) out += kPlain;
  out += ' ';
  out += EscapeControls(message);
  for (const LogField& field : fields) {
    if (field.value.empty()) continue;
    out += ' ';
    out += EscapeControls(field.key);
    out += '=';
    AppendValue(out, field.value);
  }
  return out;
}

std::string FormatJson(SystemTime time, LogLevel level, std::string_view message,
                       std::span<const LogField> fields) {
  nlohmann::ordered_json record;
  record["time"] = FormatTime(time);
  record["level"] = Look(level).json;
  record["message"] = std::string(message);
  for (const LogField& field : fields) {
    if (field.value.empty()) continue;
    std::string key(field.key);
    while (record.contains(key)) key += '_';
    record[key] = field.value;
  }
  // ASCII only: what a requester typed can then not steer a terminal either.
  return record.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace tw::logging
