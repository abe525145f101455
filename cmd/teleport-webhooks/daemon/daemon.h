// Daemon: `serve`. Puts the parts together, watches over them, reloads and ends them in order (product.md
// section 8).
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "access/watcher.h"
#include "base/random.h"
#include "callback/http_server.h"
#include "config/settings.h"
#include "daemon/callback_side.h"
#include "daemon/delivery_side.h"
#include "daemon/diagnostics.h"
#include "daemon/health.h"
#include "daemon/pid_file.h"
#include "daemon/service_manager.h"
#include "daemon/telemetry.h"
#include "logging/spdlog_logger.h"
#include "store/state_dir.h"
#include "store/store.h"
#include "teleport/client.h"

namespace tw::daemon {

struct DaemonOptions {
  std::string pid_file;
  std::chrono::milliseconds shutdown_timeout{15'000};
  std::function<Result<config::Settings>()> reload;  // reads the configuration again
};

// Run is for one thread; Signal may be called from any.
class Daemon {
 public:
  Daemon(config::Settings settings, DaemonOptions options, Clock& clock, logging::ReopenableLogger& log);
  ~Daemon();

  // Works until told to end. Error: what kept it from starting, or with fail_fast from reaching Teleport.
  Status Run();
  void Signal(int signal);

 private:
  Status Start();
  Status StartDelivery();
  Status StartDiagnostics();
  Status Serve();
  void Drain();
  void Reload();
  // Error: why the new configuration is not in force; the old one then is.
  Status PutInForce();
  void Reopen();
  // Names the endpoints that have deliveries waiting but are not configured.
  void TellForsaken();
  // Chores of the main loop, each bounded: housekeeping of the store, renewed certificates, signs of life.
  void Tick();
  void WatchStateDir();
  void Sweep();
  void TellManager();
  std::string MetricsText();
  void Wake();

  config::Settings settings_;
  DaemonOptions options_;
  Clock& clock_;
  logging::ReopenableLogger& log_;
  SystemRandom random_;
  ServiceManager manager_;
  Health health_;
  Telemetry telemetry_;

  std::optional<store::ServeLock> lock_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<teleport::TeleportClient> teleport_;
  std::unique_ptr<DeliverySide> delivery_;  // reset under mutex_
  std::unique_ptr<CallbackSide> callbacks_;
  std::unique_ptr<Diagnostics> diagnostics_;
  std::unique_ptr<callback::HttpServer> diagnostics_server_;
  std::unique_ptr<access::Watcher> watcher_;
  PidFile pid_file_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<int> signals_;
  std::optional<Status> watcher_ended_;
  bool health_changed_ = false;
  bool draining_ = false;
  bool told_ready_ = false;
  std::string told_status_;
  SteadyTime last_sweep_{};
  std::jthread watcher_thread_;
};

}  // namespace tw::daemon
