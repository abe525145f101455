// Connector: keeps one good connection, dialling when there is none, and moves to a new one when the
// credentials were renewed. Safe for use from any thread. Internal to lib/teleport.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "teleport/client.h"
#include "teleport/connection.h"
#include "teleport/credential_watch.h"

namespace tw::teleport {

class Connector {
 public:
  // `credentials` are the first ones, already read.
  Connector(const config::TeleportSettings& settings, Credentials credentials, Clock& clock, Logger& log,
            const Keepalive& keepalive);
  ~Connector();

  // The current connection, dialled if need be. One dials at a time; who waited for a dial that failed gets
  // its error.
  Result<std::shared_ptr<Connection>> Get(const Bound& bound);
  // Starts following the credential files; later calls do nothing.
  void FollowCredentials();
  // Looks at them now, in the thread that follows them.
  void LookAtCredentials();
  const Credentials CurrentCredentials() const;

 private:
  Result<std::shared_ptr<Connection>> Dial(const Bound& bound);
  Result<Credentials> FreshCredentials();
  // Under the lock.
  void Replace(std::shared_ptr<Connection> fresh);
  // Looks at the files again; runs in the watch's thread.
  void Renew(const std::stop_token& stop);
  void TellExpiry(SystemTime now);
  void WarnOnce(const std::string& message);

  const config::TeleportSettings settings_;
  Clock& clock_;
  Logger& log_;
  const Keepalive keepalive_;
  SystemRandom random_;
  RouteFinder finder_;
  mutable std::mutex mutex_;
  std::condition_variable_any dialled_;
  bool dialling_ = false;
  std::uint64_t dials_ = 0;          // finished ones
  std::optional<Error> last_error_;  // of the last dial
  std::shared_ptr<Connection> connection_;
  Credentials credentials_;  // the last that could be read
  std::string warned_;
  std::optional<SteadyTime> told_expiry_;
  bool told_expired_ = false;               // what was told then: that it has expired, or that it will
  std::unique_ptr<CredentialWatch> watch_;  // last: its thread uses all of the above
};

}  // namespace tw::teleport
