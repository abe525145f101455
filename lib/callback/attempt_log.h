// AttemptLog: tells audit trail and log of each attempt to decide. Attempts of strangers are written only up
// to a rate, so that nobody can fill the disk from outside; how many were left out is told with the next one.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "callback/ports.h"

namespace tw::callback {

// Any thread. The references must outlive it.
class AttemptLog {
 public:
  static constexpr std::size_t kStrangersPerMinute = 10;

  AttemptLog(AuditLog& audit, Clock& clock, Logger& log) : audit_(audit), clock_(clock), log_(log) {}

  // `record.caller` empty: a stranger. Time is set here. `why` is for the log, of a refusal.
  void Tell(AuditRecord record, std::string_view why);

 private:
  bool TakeStranger(std::size_t& suppressed);

  AuditLog& audit_;
  Clock& clock_;
  Logger& log_;
  std::mutex mutex_;
  SteadyTime window_{};
  std::size_t written_ = 0;
  std::size_t suppressed_ = 0;
};

}  // namespace tw::callback
