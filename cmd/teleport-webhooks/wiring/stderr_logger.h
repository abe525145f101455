// The log of one-shot verbs: short lines on standard error for a person; the daemon logs through lib/logging.
#pragma once

#include "base/log.h"
#include "cli/invocation.h"

namespace tw::wiring {

// Warnings and errors always, the rest with -v or -d. Thread-safe (one write a line).
class StderrLogger final : public Logger {
 public:
  explicit StderrLogger(const cli::Invocation& invocation);
  void Write(LogLevel level, std::string_view message, std::span<const LogField> fields) override;

 private:
  LogLevel least_;
};

}  // namespace tw::wiring
