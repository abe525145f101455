// The log of the program: Logger (base/log.h) over spdlog, to stderr, stdout or a file. The adapter lives in
// a private module, loaded by the first MakeLogger. Text: `2026-11-22T10:00:00.123Z INFO  message key=value`.
// JSON: one object a line with time, level, message and fields.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "config/settings.h"

namespace tw::logging {

// Any thread. Lines are written whole and at once, without a buffer; a line that cannot be written is counted
// and dropped, which is said once on stderr and again in the log when writing works.
class ReopenableLogger : public Logger {
 public:
  // For SIGHUP after the file was moved away: opens the path again. On an error the old file stays in use.
  virtual Status Reopen() = 0;
  virtual void SetLevel(LogLevel level) = 0;
};

struct LoggerOptions {
  bool color = false;  // asked for; used only where the output is a terminal
};

// `clock` must outlive the logger. A file is appended to, and created with mode 0640. Error (kConfig): it
// cannot be opened. kFailure: the module cannot be loaded.
Result<std::unique_ptr<ReopenableLogger>> MakeLogger(const config::LogSettings& settings, const Clock& clock,
                                                     LoggerOptions options = {});

}  // namespace tw::logging
