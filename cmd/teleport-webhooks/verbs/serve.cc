// serve: the daemon.
#include <fmt/format.h>
#include <sys/resource.h>

#include "base/duration.h"
#include "cli/interrupt.h"
#include "daemon/daemon.h"
#include "verbs/verbs.h"
#include "wiring/settings.h"

namespace tw::cli {
namespace {

// Descriptors of an idle daemon, gRPC's included (it ends the process when it finds none), and some for work.
constexpr rlim_t kLeastFiles = 128;

// The soft limit protects programs that use select(2), which is not used here.
Status RaiseFileLimit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return {};
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= kLeastFiles) return {};
  return Error::Failure(
      fmt::format("only {} files may be open at once; serve needs {} at least", files.rlim_cur, kLeastFiles),
      "raise it with ulimit -n, or LimitNOFILE= in a systemd unit");
}

}  // namespace

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
  std::vector<std::string> warnings;
  auto settings = wiring::LoadSettings(invocation, config::Purpose::kServe, config::FileCheck::kAll,
                                       [&](const std::string& text) { warnings.push_back(text); });
  if (!settings) {
    for (const std::string& text : warnings) invocation.Note("warning: " + text);
    return invocation.Fail(settings.error());
  }
  if (const Status room = RaiseFileLimit(); !room) return invocation.Fail(room.error());

  RealClock clock;
  logging::LoggerOptions log_options;
  log_options.color = WantColor(args.Value("color").value_or("auto"), 2);
  auto log = logging::MakeLogger(settings->log, clock, log_options);
  if (!log) return invocation.Fail(log.error());
  const auto warn = [&](const std::string& text) { (*log)->Warn("configuration: " + text); };
  for (const std::string& text : warnings) warn(text);
  options.reload = [&] {
    return wiring::LoadSettings(invocation, config::Purpose::kServe, config::FileCheck::kSecrets, warn);
  };
  const bool elsewhere = settings->log.output != "stderr";
  daemon::Daemon daemon(std::move(*settings), std::move(options), clock, **log);
  const Interrupt interrupt(std::nullopt, [&](int signal) { daemon.Signal(signal); });
  const Status ran = daemon.Run();
  if (ran) return 0;
  // Whoever reads the log alone must learn it too.
  if (elsewhere)
    (*log)->Error("ended by an error", {{"error", ran.error().message}, {"hint", ran.error().hint}});
  return invocation.Fail(ran.error());
}

}  // namespace tw::cli
