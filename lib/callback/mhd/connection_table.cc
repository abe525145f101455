#include "callback/mhd/connection_table.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace tw::callback {
namespace {

// Deadlines are kept to this precision, so that many of them do not wake the janitor one by one.
constexpr std::chrono::milliseconds kPrecision{50};

// The event thread sees the end of the stream and cleans up. Unlike close this leaves the number taken.
void Cut(const Connection& connection) {
  ::shutdown(connection.fd, SHUT_RDWR);
}

}  // namespace

ConnectionTable::ConnectionTable(ConnectionLimits limits)
    : limits_(limits), janitor_([this](std::stop_token stop) { Sweep(std::move(stop)); }) {}

ConnectionTable::~ConnectionTable() {
  janitor_.request_stop();
  wake_.notify_all();
}

bool ConnectionTable::Admit(const std::string& key) {
  std::lock_guard lock(mutex_);
  if (closing_) return false;
  if (!key.empty() && limits_.per_address != 0) {
    const auto found = per_address_.find(key);
    if (found != per_address_.end() && found->second >= limits_.per_address) return false;
  }
  return connections_.size() < limits_.total || CutSlowest();
}

bool ConnectionTable::MakeRoom() {
  std::lock_guard lock(mutex_);
  return CutSlowest();
}

bool ConnectionTable::CutSlowest() {
  const SteadyTime now = std::chrono::steady_clock::now();
  const auto may_go = [&](const Connection& each) {
    if (each.deadline == SteadyTime::max()) return false;  // cut already
    return each.phase == Phase::kAwaiting ||
           (each.phase == Phase::kReceiving && now - each.since >= limits_.slow_request);
  };
  Connection* slowest = nullptr;
  for (Connection& each : connections_) {
    if (may_go(each) && (slowest == nullptr || each.since < slowest->since)) slowest = &each;
  }
  if (slowest == nullptr) return false;
  Cut(*slowest);
  slowest->deadline = SteadyTime::max();
  return true;
}

Connection* ConnectionTable::Add(int fd, std::string peer, std::string key, SteadyTime deadline) {
  std::lock_guard lock(mutex_);
  Connection& added = connections_.emplace_back();
  added.fd = fd;
  added.peer = std::move(peer);
  added.key = std::move(key);
  added.since = std::chrono::steady_clock::now();
  added.deadline = deadline;
  if (!added.key.empty()) ++per_address_[added.key];
  if (deadline < next_sweep_) wake_.notify_all();
  return &added;
}

void ConnectionTable::Remove(Connection* connection) {
  std::lock_guard lock(mutex_);
  if (!connection->key.empty()) {
    const auto found = per_address_.find(connection->key);
    if (--found->second == 0) per_address_.erase(found);
  }
  connections_.remove_if([&](const Connection& each) { return &each == connection; });
  if (Quiet()) quiet_.notify_all();
}

void ConnectionTable::Enter(Connection* connection, Phase phase, SteadyTime deadline) {
  std::lock_guard lock(mutex_);
  if (connection->phase != phase) connection->since = std::chrono::steady_clock::now();
  connection->phase = phase;
  connection->deadline = deadline;
  if (phase == Phase::kAwaiting) {
    if (closing_) Cut(*connection);
    if (Quiet()) quiet_.notify_all();
  }
  if (deadline < next_sweep_) wake_.notify_all();
}

void ConnectionTable::CloseWaiting() {
  std::lock_guard lock(mutex_);
  closing_ = true;
  for (const Connection& each : connections_) {
    if (each.phase == Phase::kAwaiting) Cut(each);
  }
}

bool ConnectionTable::AwaitQuiet(SteadyTime deadline) {
  std::unique_lock lock(mutex_);
  return quiet_.wait_until(lock, deadline, [this] { return Quiet(); });
}

std::size_t ConnectionTable::size() const {
  std::lock_guard lock(mutex_);
  return connections_.size();
}

bool ConnectionTable::Quiet() const {
  return std::none_of(connections_.begin(), connections_.end(),
                      [](const Connection& each) { return each.phase != Phase::kAwaiting; });
}

void ConnectionTable::Sweep(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const SteadyTime now = std::chrono::steady_clock::now();
    SteadyTime next = SteadyTime::max();
    for (Connection& each : connections_) {
      if (each.deadline <= now) {
        Cut(each);
        each.deadline = SteadyTime::max();
      }
      next = std::min(next, each.deadline);
    }
    next_sweep_ = next;
    const auto earlier = [&] {
      return std::any_of(connections_.begin(), connections_.end(),
                         [&](const Connection& each) { return each.deadline < next_sweep_; });
    };
    if (next == SteadyTime::max()) {
      wake_.wait(lock, stop, earlier);
    } else {
      wake_.wait_until(lock, stop, std::max(next, now + kPrecision), earlier);
    }
  }
}

}  // namespace tw::callback
