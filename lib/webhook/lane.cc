#include "webhook/lane.h"

#include <algorithm>

namespace tw::webhook {
namespace {

constexpr std::int64_t kTurnsAhead = 64;    // deliveries in memory for each that may be under way
constexpr std::chrono::hours kAllTurns{1};  // how long they may take if each runs into its time-out

}  // namespace

std::size_t Lane::Window() const {
  const config::EndpointSettings& settings = plan.settings();
  const std::int64_t turns = std::clamp<std::int64_t>(
      kAllTurns / std::max(settings.timeout, std::chrono::milliseconds(1)), 1, kTurnsAhead);
  return std::min(kWindow, static_cast<std::size_t>(settings.concurrency * turns));
}

std::size_t Lane::Wanting(SystemTime now) const {
  const bool due = more || (next_due && *next_due <= now);
  if (wished || !due) return 0;
  const int allowed = health.Allowed(now);
  if (allowed == 0) return 0;
  if (health.held()) return ready.empty() && under_way == 0 ? 1 : 0;  // a single probe
  return ready.size() <= Window() / 2 ? Window() - ready.size() : 0;
}

std::size_t Lane::Room(SystemTime now) const {
  const bool backlog = more || wished || (next_due && *next_due <= now);
  if (backlog || health.held() || ready.size() >= Window()) return 0;
  return Window() - ready.size();
}

}  // namespace tw::webhook
