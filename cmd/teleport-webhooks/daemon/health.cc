#include "daemon/health.h"

#include "base/duration.h"

namespace tw::daemon {
namespace {

// The same trouble is told once a minute at most: a cluster that is down must not flood the log.
constexpr std::chrono::seconds kRepeatTrouble{60};

// Once connected, other errors are of something else, and name it: the store, a right, an odd answer.
bool IsOfConnection(const Error& error, bool connected) {
  return !connected || error.kind == ErrorKind::kUnreachable || error.kind == ErrorKind::kTimeout;
}

}  // namespace

void Health::OnConnected(const access::ClusterInfo& info) {
  {
    std::lock_guard lock(mutex_);
    cluster_ = info;
    connected_ = true;
    if (std::exchange(ever_connected_, true)) ++reconnects_;
    last_logged_error_.clear();
    last_tick_ = clock_.Steady();
  }
  log_.Info("connected to Teleport", {{"cluster", info.cluster},
                                      {"version", info.server_version},
                                      {"route", info.route},
                                      {"user", info.user}});
  changed_();
}

void Health::OnInStep(std::size_t recovered) {
  {
    std::lock_guard lock(mutex_);
    in_step_ = true;
    recovered_ += recovered;
    lost_reason_.clear();
    last_tick_ = clock_.Steady();
  }
  log_.Info("in step with Teleport", {{"missed_changes_found", recovered}});
  changed_();
}

void Health::OnLost(const Error& error, std::chrono::milliseconds retry_in) {
  bool tell = false;
  bool of_connection = true;
  {
    std::lock_guard lock(mutex_);
    of_connection = IsOfConnection(error, std::exchange(connected_, false));
    in_step_ = false;
    lost_reason_ = (of_connection ? "Teleport: " : "") + error.message;
    last_tick_ = clock_.Steady();
    tell = error.message != last_logged_error_ || clock_.Steady() - last_log_ >= kRepeatTrouble;
    if (tell) {
      last_logged_error_ = error.message;
      last_log_ = clock_.Steady();
    }
  }
  if (tell)
    log_.Warn(of_connection ? "no connection to Teleport" : "access requests are not followed",
              {{"error", error.message}, {"hint", error.hint}, {"retry_in", FormatDuration(retry_in)}});
  changed_();
}

void Health::OnImpaired(const std::string& reason) {
  {
    std::lock_guard lock(mutex_);
    impaired_ = reason;
  }
  reason.empty() ? log_.Info("complete again") : log_.Error("not complete", {{"reason", reason}});
  changed_();
}

void Health::OnTick() {
  std::lock_guard lock(mutex_);
  last_tick_ = clock_.Steady();
}

void Health::SetDraining() {
  {
    std::lock_guard lock(mutex_);
    draining_ = true;
  }
  changed_();
}

void Health::SetStoreProblem(const std::string& problem) {
  {
    std::lock_guard lock(mutex_);
    store_problem_ = problem;
  }
  changed_();
}

std::string Health::store_problem() const {
  std::lock_guard lock(mutex_);
  return store_problem_;
}

std::vector<std::string> Health::Obstacles() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  if (draining_) out.emplace_back("draining");
  if (!in_step_) out.push_back(lost_reason_.empty() ? "comparing with Teleport" : lost_reason_);
  if (!impaired_.empty()) out.push_back(impaired_);
  if (!store_problem_.empty()) out.push_back(store_problem_);
  return out;
}

bool Health::connected() const {
  std::lock_guard lock(mutex_);
  return connected_;
}

bool Health::draining() const {
  std::lock_guard lock(mutex_);
  return draining_;
}

access::ClusterInfo Health::cluster() const {
  std::lock_guard lock(mutex_);
  return cluster_;
}

std::uint64_t Health::reconnects() const {
  std::lock_guard lock(mutex_);
  return reconnects_;
}

std::uint64_t Health::recovered() const {
  std::lock_guard lock(mutex_);
  return recovered_;
}

SteadyTime Health::last_tick() const {
  std::lock_guard lock(mutex_);
  return last_tick_;
}

void Health::OnAllAlive() {
  std::lock_guard lock(mutex_);
  last_alive_ = clock_.Steady();
}

SteadyTime Health::last_alive() const {
  std::lock_guard lock(mutex_);
  return draining_ ? clock_.Steady() : last_alive_;
}

}  // namespace tw::daemon
