#include "wiring/stderr_logger.h"

#include "base/text.h"
#include "cli/output.h"

namespace tw::wiring {
namespace {

LogLevel LeastLevel(const cli::Invocation& invocation) {
  if (invocation.quiet()) return LogLevel::kError;
  if (invocation.debug()) return LogLevel::kDebug;
  return invocation.verbose() ? LogLevel::kInfo : LogLevel::kWarning;
}

}  // namespace

StderrLogger::StderrLogger(const cli::Invocation& invocation) : least_(LeastLevel(invocation)) {}

void StderrLogger::Write(LogLevel level, std::string_view message, std::span<const LogField> fields) {
  if (level < least_) return;
  std::string line(message);
  for (const LogField& field : fields) {
    if (field.value.empty()) continue;
    line += ' ';
    line += field.key;
    line += '=';
    line += field.value;
  }
  cli::Output err(2);
  [[maybe_unused]] const Status written = err.Line(EscapeControls(line));  // nowhere left to complain
}

}  // namespace tw::wiring
