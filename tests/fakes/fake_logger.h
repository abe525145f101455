// A logger that keeps what it was told, as "level message key=value ...".
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "base/log.h"

namespace tw::fakes {

class FakeLogger final : public Logger {
 public:
  void Write(LogLevel level, std::string_view message, std::span<const LogField> fields) override {
    constexpr std::string_view kNames[] = {"debug", "info", "warn", "error"};
    std::string line(kNames[static_cast<int>(level)]);
    line += ' ';
    line += message;
    for (const LogField& field : fields) {
      line += ' ';
      line += field.key;
      line += '=';
      line += field.value;
    }
    std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    std::lock_guard lock(mutex_);
    return lines_;
  }
  bool Said(std::string_view part) const {
    std::lock_guard lock(mutex_);
    for (const std::string& line : lines_) {
      if (line.find(part) != std::string::npos) return true;
    }
    return false;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace tw::fakes
