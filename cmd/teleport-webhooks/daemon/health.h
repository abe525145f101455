// Health: is the daemon ready, and if not, why? Told by the parts, read by /readyz, callbacks and the service
// manager. Safe for use from any thread.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "access/watcher.h"
#include "base/clock.h"

namespace tw::daemon {

class Health final : public access::WatchObserver {
 public:
  // `changed` is called, without locks held, whenever the report may have changed.
  Health(Clock& clock, Logger& log, std::function<void()> changed)
      : clock_(clock),
        log_(log),
        changed_(std::move(changed)),
        last_tick_(clock.Steady()),
        last_alive_(last_tick_) {}

  void OnConnected(const access::ClusterInfo& info) override;
  void OnInStep(std::size_t recovered) override;
  void OnLost(const Error& error, std::chrono::milliseconds retry_in) override;
  void OnImpaired(const std::string& reason) override;
  void OnTick() override;

  void SetDraining();
  // What is wrong with the state directory itself; empty: nothing.
  void SetStoreProblem(const std::string& problem);
  std::string store_problem() const;
  // What keeps the daemon from being ready; empty when it is.
  std::vector<std::string> Obstacles() const;
  // Has Teleport been reached, and is it still?
  bool connected() const;
  bool draining() const;
  access::ClusterInfo cluster() const;
  std::uint64_t reconnects() const;
  std::uint64_t recovered() const;
  // Since when the watcher's loop has shown no sign of life.
  SteadyTime last_tick() const;
  // The main loop has seen signs of life of all the others.
  void OnAllAlive();
  // Since when it has not; while draining it does not look.
  SteadyTime last_alive() const;

 private:
  mutable std::mutex mutex_;
  Clock& clock_;
  Logger& log_;
  std::function<void()> changed_;
  access::ClusterInfo cluster_;
  bool connected_ = false;
  bool in_step_ = false;
  bool draining_ = false;
  bool ever_connected_ = false;
  std::string lost_reason_ = "Teleport: starting";
  std::string impaired_;
  std::string store_problem_;
  std::string last_logged_error_;
  SteadyTime last_log_{};
  std::uint64_t reconnects_ = 0;
  std::uint64_t recovered_ = 0;
  SteadyTime last_tick_;
  SteadyTime last_alive_;
};

}  // namespace tw::daemon
