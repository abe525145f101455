#include "daemon/daemon.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/duration.h"
#include "store/sqlite_store.h"
#include "version.h"

namespace tw::daemon {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::microseconds kTick{1'000'000};
constexpr std::chrono::seconds kSweepEvery{30};
constexpr std::size_t kSweepStep = 500;  // rows in one transaction
constexpr int kSweepSteps = 20;          // steps in one tick, so that signals are not kept waiting
constexpr milliseconds kCallbackDrain{5'000};
// A watcher quiet for longer hangs: no sign of life for the manager.
constexpr std::chrono::seconds kWatcherPulse{60};

access::SnapshotPolicy Snapshot(config::OnStart on_start) {
  return on_start == config::OnStart::kNone ? access::SnapshotPolicy::kNone
                                            : access::SnapshotPolicy::kPending;
}

bool EndsUs(int signal) {
  return signal == SIGTERM || signal == SIGINT;
}

std::vector<std::string> EndpointNames(const config::Settings& settings) {
  std::vector<std::string> names;
  for (const config::EndpointSettings& endpoint : settings.endpoints) names.push_back(endpoint.name);
  return names;
}

// What a reload cannot change, by key.
std::vector<std::string> NeedsRestart(const config::Settings& now, const config::Settings& wanted) {
  std::vector<std::string> keys;
  const auto compare = [&](const char* key, const auto& a, const auto& b) {
    if (a != b) keys.emplace_back(key);
  };
  compare("teleport.addr", now.teleport.addr, wanted.teleport.addr);
  compare("teleport.client_key", now.teleport.client_key, wanted.teleport.client_key);
  compare("teleport.client_crt", now.teleport.client_crt, wanted.teleport.client_crt);
  compare("teleport.root_cas", now.teleport.root_cas, wanted.teleport.root_cas);
  compare("teleport.identity", now.teleport.identity, wanted.teleport.identity);
  compare("teleport.route", now.teleport.route, wanted.teleport.route);
  compare("teleport.proxy_url", now.teleport.proxy_url, wanted.teleport.proxy_url);
  compare("teleport.refresh_interval", now.teleport.refresh_interval, wanted.teleport.refresh_interval);
  compare("teleport.connect_timeout", now.teleport.connect_timeout, wanted.teleport.connect_timeout);
  compare("teleport.fail_fast", now.teleport.fail_fast, wanted.teleport.fail_fast);
  compare("webhook.notify_only", now.notify_only, wanted.notify_only);
  compare("http.listen_addr", now.http.listen_addr, wanted.http.listen_addr);
  compare("http.max_body", now.http.max_body, wanted.http.max_body);
  compare("http.request_timeout", now.http.request_timeout, wanted.http.request_timeout);
  compare("state.dir", now.state.dir, wanted.state.dir);
  compare("state.on_start", now.state.on_start, wanted.state.on_start);
  compare("diagnostics.listen_addr", now.diagnostics_addr, wanted.diagnostics_addr);
  compare("log.output", now.log.output, wanted.log.output);
  compare("log.format", now.log.format, wanted.log.format);
  return keys;
}

}  // namespace

Daemon::Daemon(config::Settings settings, DaemonOptions options, Clock& clock, logging::ReopenableLogger& log)
    : settings_(std::move(settings)),
      options_(std::move(options)),
      clock_(clock),
      log_(log),
      health_(clock, log, [this] { Wake(); }) {}

Daemon::~Daemon() {
  Drain();
}

void Daemon::Signal(int signal) {
  {
    std::lock_guard lock(mutex_);
    if (draining_ && EndsUs(signal)) {
      log_.Info("asked to end once more: deliveries in flight are cut and stay in the store");
      if (delivery_) delivery_->deliverer().Hurry();
      return;
    }
    // One that waits already stands for all of its kind.
    if (std::find(signals_.begin(), signals_.end(), signal) == signals_.end()) signals_.push_back(signal);
  }
  changed_.notify_all();
}

void Daemon::Wake() {
  {
    std::lock_guard lock(mutex_);
    health_changed_ = true;
  }
  changed_.notify_all();
}

Status Daemon::Run() {
  Status status = Start();
  if (status) status = Serve();
  Drain();
  return status;
}

Status Daemon::Start() {
  log_.Info("teleport-webhooks starts", {{"version", TW_VERSION}, {"configuration", settings_.origin}});
  auto client = teleport::MakeTeleportClient(settings_.teleport, clock_, log_);
  if (!client) return client.error();
  teleport_ = std::move(*client);
  if (const Status started = StartDelivery(); !started) return started;
  if (settings_.notify_only) {
    log_.Info("no callback listener: notify_only is set");
  } else {
    auto callbacks = CallbackSide::Start(settings_, *teleport_, *store_, health_, telemetry_, clock_, log_);
    if (!callbacks) return callbacks.error();
    callbacks_ = std::move(*callbacks);
  }
  if (const Status started = StartDiagnostics(); !started) return started;
  TellForsaken();
  if (!options_.pid_file.empty()) {
    auto file = PidFile::Write(options_.pid_file);
    if (!file) return file.error();
    pid_file_ = std::move(*file);
  }
  delivery_->deliverer().Start();
  access::WatcherOptions watching;
  watching.snapshot = Snapshot(settings_.state.on_start);
  watcher_ = std::make_unique<access::Watcher>(*teleport_, *store_, store_.get(), delivery_->intake(),
                                               health_, clock_, random_, log_, watching);
  watcher_thread_ = std::jthread([this](const std::stop_token& stop) {
    Status ended = watcher_->Run(stop, settings_.teleport.fail_fast);
    {
      std::lock_guard lock(mutex_);
      watcher_ended_ = std::move(ended);
    }
    changed_.notify_all();
  });
  return {};
}

Status Daemon::StartDelivery() {
  auto parts = MakeDeliveryParts(settings_);
  if (!parts) return parts.error();
  auto lock = store::LockForServe(settings_.state.dir);
  if (!lock) return lock.error();
  lock_.emplace(std::move(*lock));
  auto store = store::OpenSqliteStore(settings_.state.dir);
  if (!store) return store.error();
  store_ = std::move(*store);
  auto side = DeliverySide::Make(*store_, std::move(*parts), clock_, random_, log_, telemetry_,
                                 [this](const access::Event& event) { telemetry_.OnEvent(event.type); });
  if (!side) return side.error();
  delivery_ = std::move(*side);
  return {};
}

Status Daemon::StartDiagnostics() {
  if (settings_.diagnostics_addr.empty()) return {};
  diagnostics_ = std::make_unique<Diagnostics>(health_, clock_, [this] { return MetricsText(); });
  auto server = callback::LoadHttpServer(log_);
  if (!server) return server.error();
  diagnostics_server_ = std::move(*server);
  callback::HttpServerOptions options;
  options.listen = settings_.diagnostics_addr;
  options.workers = 2;
  options.connections = 64;
  const auto bound = diagnostics_server_->Start(std::move(options), *diagnostics_);
  if (!bound) return bound.error().Within("diagnostics.listen_addr");
  log_.Info("diagnostics listener", {{"address", *bound}});
  return {};
}

Status Daemon::Serve() {
  // A manager that watches us expects more than one sign of life in its time.
  const auto tick = manager_.watchdog() ? std::min(kTick, *manager_.watchdog() / 2) : kTick;
  while (true) {
    int signal = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, tick,
                        [this] { return !signals_.empty() || watcher_ended_ || health_changed_; });
      if (!signals_.empty()) {
        signal = signals_.front();
        signals_.pop_front();
      } else if (watcher_ended_) {
        return *watcher_ended_;
      }
      health_changed_ = false;
    }
    if (EndsUs(signal)) {
      log_.Info("asked to end", {{"signal", signal == SIGTERM ? "TERM" : "INT"}});
      return {};
    }
    if (signal == SIGHUP) Reload();
    if (signal == SIGUSR1) watcher_->Resync();
    Tick();
  }
}

void Daemon::Tick() {
  if (clock_.Steady() - last_sweep_ >= kSweepEvery) Sweep();
  WatchStateDir();
  if (callbacks_) callbacks_->PollCertificates();
  TellManager();
}

// SQLite goes on in files that have no name any more; what it commits there is gone with the process.
void Daemon::WatchStateDir() {
  const bool ours = lock_->InPlace();
  if (ours == health_.store_problem().empty()) return;
  const std::string problem =
      ours ? "" : "the state directory " + settings_.state.dir + " was removed or replaced";
  if (ours) {
    log_.Info("the state directory is back in its place");
  } else {
    log_.Error(problem, {{"hint",
                          "what is stored now is lost when this process ends: put the directory back, "
                          "or restart to begin with an empty store"}});
  }
  health_.SetStoreProblem(problem);
}

std::string Daemon::MetricsText() {
  return telemetry_.Text(*store_, health_, teleport_->Credential(), clock_.Now());
}

void Daemon::TellForsaken() {
  const auto summaries = store_->Summaries();
  if (!summaries) return;  // whoever needs the store tells
  const auto names = EndpointNames(settings_);
  for (const store::QueueSummary& summary : *summaries) {
    if (summary.pending == 0 || std::find(names.begin(), names.end(), summary.endpoint) != names.end())
      continue;
    log_.Warn("deliveries wait for an endpoint that is not configured; none is sent",
              {{"endpoint", summary.endpoint},
               {"pending", summary.pending},
               {"kept_for", FormatDuration(settings_.state.retain)}});
  }
}

void Daemon::Sweep() {
  const auto names = EndpointNames(settings_);
  for (int step = 0; step < kSweepSteps; ++step) {
    const auto more = store_->Sweep(clock_.Now(), settings_.state.retain, kSweepStep, names);
    if (!more) log_.Warn("housekeeping of the store failed", {{"error", more.error().message}});
    if (!more || !*more) {
      last_sweep_ = clock_.Steady();
      return;
    }
  }
}

void Daemon::TellManager() {
  const auto obstacles = health_.Obstacles();
  if (obstacles.empty() && !std::exchange(told_ready_, true)) manager_.Ready();
  const std::string status = obstacles.empty() ? fmt::format("in step with {}", health_.cluster().cluster)
                                               : fmt::format("{}", fmt::join(obstacles, "; "));
  if (status != told_status_) manager_.Status(told_status_ = status);
  const SteadyTime now = clock_.Steady();
  const bool alive =
      now - health_.last_tick() < kWatcherPulse && now - delivery_->deliverer().last_tick() < kWatcherPulse;
  if (!alive) return;
  health_.OnAllAlive();
  manager_.Alive();
}

void Daemon::Reload() {
  // Before the first READY there is nothing to come back to: it would be taken for the first.
  if (told_ready_) manager_.Reloading();
  Reopen();
  if (const Status done = PutInForce(); !done) {
    log_.Error("reload refused; the old configuration stays",
               {{"error", done.error().message}, {"hint", done.error().hint}});
  }
  if (told_ready_) manager_.Ready();
}

Status Daemon::PutInForce() {
  auto wanted = options_.reload();
  if (!wanted) return wanted.error();
  const auto ignored = NeedsRestart(settings_, *wanted);
  const bool replaces_callbacks = callbacks_ && !wanted->notify_only;
  wanted->notify_only = settings_.notify_only;  // bodies tell of the listener that there is
  auto parts = MakeDeliveryParts(*wanted);
  if (!parts) return parts.error();
  // Callbacks first: they may refuse (a key that does not fit its certificate), deliveries cannot any more.
  if (replaces_callbacks) {
    if (const Status replaced = callbacks_->Replace(*wanted); !replaced) return replaced;
  }
  if (const Status replaced = delivery_->Replace(std::move(*parts)); !replaced) return replaced;
  for (const std::string& key : ignored) log_.Warn("changed only by a restart", {{"key", key}});
  log_.SetLevel(wanted->log.severity);
  settings_.endpoints = wanted->endpoints;
  settings_.callback = wanted->callback;
  settings_.state.retain = wanted->state.retain;
  teleport_->LookAtCredentials();
  log_.Info("configuration reloaded", {{"endpoints", settings_.endpoints.size()}});
  TellForsaken();
  return {};
}

void Daemon::Reopen() {
  if (const Status reopened = log_.Reopen(); !reopened)
    log_.Error("cannot reopen the log", {{"error", reopened.error().message}});
}

void Daemon::Drain() {
  if (!store_) return;
  const SteadyTime began = clock_.Steady();
  {
    std::lock_guard lock(mutex_);
    draining_ = true;
  }
  health_.SetDraining();
  manager_.Stopping();
  manager_.Status("draining");
  if (watcher_thread_.joinable()) {
    watcher_thread_.request_stop();
    watcher_thread_.join();
  }
  const auto left = [&] {
    const auto spent = std::chrono::duration_cast<milliseconds>(clock_.Steady() - began);
    return std::max(options_.shutdown_timeout - spent, milliseconds(0));
  };
  if (callbacks_) callbacks_->Stop(std::min(kCallbackDrain, left()));
  if (delivery_) delivery_->deliverer().Stop(left());
  if (diagnostics_server_) diagnostics_server_->Stop(milliseconds(500));
  callbacks_.reset();
  watcher_.reset();
  {
    std::lock_guard lock(mutex_);
    delivery_.reset();
  }
  diagnostics_server_.reset();
  store_.reset();
  lock_.reset();
  log_.Info("ended",
            {{"took", FormatDuration(std::chrono::duration_cast<milliseconds>(clock_.Steady() - began))}});
}

}  // namespace tw::daemon
