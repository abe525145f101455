// AttemptLog: tells audit trail and log of each attempt to decide, and the log alone of what else was
// refused. What strangers can cause is written only up to a rate, so that nobody can fill the disk from
// outside; how many were left out is told with the next one.
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
  // A request that was refused and was no attempt to decide: a look, or one that could not be read.
  struct Refused {
    std::string client;
    std::string caller;  // empty: nobody
    std::string method;
    std::string target;
    int status = 0;
    std::string why;
  };

  AttemptLog(AuditLog& audit, Clock& clock, Logger& log) : audit_(audit), clock_(clock), log_(log) {}

  // `record.caller` empty: a stranger. Time is set here. `why` is for the log, of a refusal.
  void Tell(AuditRecord record, std::string_view why);
  void Mention(const Refused& refused);

 private:
  // So many a minute. Two of them, so that neither kind hides the other.
  class Budget {
   public:
    // `suppressed`: how many were refused since the last that was not.
    bool Take(SteadyTime now, std::size_t& suppressed);
    std::size_t Settle();  // takes that count, outside of the budget

   private:
    std::mutex mutex_;
    SteadyTime window_{};
    std::size_t written_ = 0;
    std::size_t suppressed_ = 0;
  };

  AuditLog& audit_;
  Clock& clock_;
  Logger& log_;
  Budget strangers_;
  Budget mentions_;
};

}  // namespace tw::callback
