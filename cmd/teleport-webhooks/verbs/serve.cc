// serve: the daemon.
#include "base/duration.h"
#include "cli/interrupt.h"
#include "daemon/daemon.h"
#include "verbs/verbs.h"
#include "wiring/settings.h"

namespace tw::cli {

int RunServe(Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (args.Has("timeout"))
    return invocation.Fail(Error::Usage("--timeout is not for serve", "see --shutdown-timeout"));
  daemon::DaemonOptions options;
  options.pid_file = args.Value("pid-file").value_or("");
  if (const auto text = args.Value("shutdown-timeout")) {
    const auto duration = ParseDuration(*text);
    if (!duration) return invocation.Fail(duration.error().Within("--shutdown-timeout"));
    options.shutdown_timeout = *duration;
  }
  // All files that are missing are named at once; later each part tells of its own.
  auto settings = wiring::LoadSettings(invocation, config::Purpose::kServe, config::FileCheck::kAll);
  if (!settings) return invocation.Fail(settings.error());
  options.reload = [&] { return wiring::LoadSettings(invocation, config::Purpose::kServe); };

  RealClock clock;
  logging::LoggerOptions log_options;
  log_options.color = WantColor(args.Value("color").value_or("auto"), 2);
  auto log = logging::MakeLogger(settings->log, clock, log_options);
  if (!log) return invocation.Fail(log.error());
  daemon::Daemon daemon(std::move(*settings), std::move(options), clock, **log);
  const Interrupt interrupt(std::nullopt, [&](int signal) { daemon.Signal(signal); });
  const Status ran = daemon.Run();
  return ran ? 0 : invocation.Fail(ran.error());
}

}  // namespace tw::cli
