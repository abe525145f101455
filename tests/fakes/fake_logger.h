// A logger that keeps what it was told, as "level message key=value ...".
#pragma once

#include <chrono>
#include <condition_variable>
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
    changed_.notify_all();
  }
  std::vector<std::string> lines() const {
    std::lock_guard lock(mutex_);
    return lines_;
  }
  bool Said(std::string_view part) const {
    std::lock_guard lock(mutex_);
    return SaidLocked(part);
  }
  // The same of what another thread is about to say.
  bool WillHaveSaid(std::string_view part) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return SaidLocked(part); });
  }

 private:
  bool SaidLocked(std::string_view part) const {
    for (const std::string& line : lines_) {
      if (line.find(part) != std::string::npos) return true;
    }
    return false;
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<std::string> lines_;
};

}  // namespace tw::fakes
