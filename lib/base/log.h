// Structured log as a port. A record is a level, a fixed sentence and fields; sinks escape, format and write.
#pragma once

#include <concepts>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tw {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

std::optional<LogLevel> ParseLogLevel(std::string_view text);  // debug, info, warn(ing), err(or), any case

struct LogField {
  std::string_view key;
  std::string value;

  LogField(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  template <std::integral N>
  LogField(std::string_view k, N number) : key(k), value(std::to_string(number)) {}
};

// Implementations are safe for use from any thread and never throw. Values may hold text that a requester
// typed: escaping is the sink's duty. Secrets must not be passed at all.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual void Write(LogLevel level, std::string_view message, std::span<const LogField> fields) = 0;

  using Fields = std::initializer_list<LogField>;
  void Debug(std::string_view message, Fields fields = {}) {
    Write(LogLevel::kDebug, message, {fields.begin(), fields.size()});
  }
  void Info(std::string_view message, Fields fields = {}) {
    Write(LogLevel::kInfo, message, {fields.begin(), fields.size()});
  }
  void Warn(std::string_view message, Fields fields = {}) {
    Write(LogLevel::kWarning, message, {fields.begin(), fields.size()});
  }
  void Error(std::string_view message, Fields fields = {}) {
    Write(LogLevel::kError, message, {fields.begin(), fields.size()});
  }
};

class NullLogger final : public Logger {
 public:
  void Write(LogLevel, std::string_view, std::span<const LogField>) override {}
};

}  // namespace tw
