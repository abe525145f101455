#include "callback/attempt_log.h"

#include <utility>
#include <vector>

namespace tw::callback {

void AttemptLog::Tell(AuditRecord record, std::string_view why) {
  if (record.caller.empty() && !TakeStranger(record.suppressed)) return;
  record.time = clock_.Now();
  const LogLevel level = record.status == 200 ? LogLevel::kInfo : LogLevel::kWarning;
  std::vector<LogField> fields{{"caller", record.caller},         {"client", record.client},
                               {"request_id", record.request_id}, {"decision", record.decision},
                               {"delegator", record.delegator},   {"status", record.status},
                               {"result", record.result}};
  if (!why.empty()) fields.emplace_back("why", why);
  log_.Write(level, "callback", fields);
  if (const Status written = audit_.Append(record); !written) {
    log_.Error("cannot write the audit trail; callbacks are refused until it works again",
               {{"error", written.error().message}});
  }
}

bool AttemptLog::TakeStranger(std::size_t& suppressed) {
  std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.Steady();
  if (now - window_ >= std::chrono::minutes(1)) {
    window_ = now;
    written_ = 0;
  }
  if (written_ >= kStrangersPerMinute) {
    ++suppressed_;
    return false;
  }
  ++written_;
  suppressed = std::exchange(suppressed_, 0);
  return true;
}

}  // namespace tw::callback
