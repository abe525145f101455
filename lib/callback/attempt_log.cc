#include "callback/attempt_log.h"

#include <utility>
#include <vector>

#include "base/text.h"

namespace tw::callback {
namespace {

constexpr std::size_t kLongestPath = 256;
constexpr std::string_view kNotTold = "not_told_before";

}  // namespace

void AttemptLog::Tell(AuditRecord record, std::string_view why) {
  if (!record.caller.empty())
    record.suppressed = strangers_.Settle();
  else if (!strangers_.Take(clock_.Steady(), record.suppressed))
    return;
  record.time = clock_.Now();
  const LogLevel level = record.status == 200 ? LogLevel::kInfo : LogLevel::kWarning;
  std::vector<LogField> fields{{"caller", record.caller},         {"client", record.client},
                               {"request_id", record.request_id}, {"decision", record.decision},
                               {"delegator", record.delegator},   {"status", record.status},
                               {"result", record.result}};
  if (!why.empty()) fields.emplace_back("why", why);
  if (record.suppressed != 0) fields.emplace_back(kNotTold, record.suppressed);
  log_.Write(level, "callback", fields);
  if (const Status written = audit_.Append(record); !written) {
    log_.Error("cannot write the audit trail; callbacks are refused until it works again",
               {{"error", written.error().message}});
  }
}

void AttemptLog::Mention(const Refused& refused) {
  std::size_t suppressed = 0;
  if (!mentions_.Take(clock_.Steady(), suppressed)) return;
  // A query is no part of any route, and may hold what is none of the log's business.
  const std::string_view path =
      std::string_view(refused.target).substr(0, refused.target.find_first_of("?#"));
  std::vector<LogField> fields{{"caller", refused.caller},
                               {"client", refused.client},
                               {"method", CutUtf8(refused.method, kLongestPath)},
                               {"path", CutUtf8(path, kLongestPath)},
                               {"status", refused.status},
                               {"why", refused.why}};
  if (suppressed != 0) fields.emplace_back(kNotTold, suppressed);
  log_.Write(LogLevel::kWarning, "request refused", fields);
}

bool AttemptLog::Budget::Take(SteadyTime now, std::size_t& suppressed) {
  std::lock_guard lock(mutex_);
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

std::size_t AttemptLog::Budget::Settle() {
  std::lock_guard lock(mutex_);
  return std::exchange(suppressed_, 0);
}

}  // namespace tw::callback
