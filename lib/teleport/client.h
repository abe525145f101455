// The client of a Teleport cluster: AccessApi over gRPC, through any way in. Dials at the first call; every
// dial reads the credentials afresh; a broken connection is dialled again by the next call.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "access/access_api.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/settings.h"

namespace tw::teleport {

// What is known of our certificate, for metrics and messages.
struct CredentialState {
  std::string user;
  SystemTime not_before;
  SystemTime not_after;
};

// HTTP/2 pings on a connection that is silent: every `time`, and given up when no answer comes in `answer`.
// Teleport ends connections that ping more often than every 60 s (reference page section 5.8).
struct Keepalive {
  std::chrono::milliseconds time{75'000};
  std::chrono::milliseconds answer{20'000};
};

// gRPC writes lines of its own to stderr, past the log and its format: keeps it silent, unless GRPC_VERBOSITY
// is set. To be called before other threads look into the environment.
void QuietGrpc();

class TeleportClient : public access::AccessApi {
 public:
  // The credentials in use, or the last that could be read. Any thread; no I/O.
  virtual CredentialState Credential() const = 0;
  // Asks for the credential files to be read now, which happens by itself every `refresh_interval` at the
  // latest. Any thread; does not wait.
  virtual void LookAtCredentials() = 0;
};

// `clock` tells the time that certificates are compared with. `clock` and `log` must outlive the client. From
// the first Watch on, the client follows the credential files: newer ones move it to a new connection, and
// streams on the old one say that they are superseded, so that their readers open them again. Error
// (kCredentials): files that are missing or unreadable, all named. Dates and the network are not looked at
// here.
Result<std::unique_ptr<TeleportClient>> MakeTeleportClient(const config::TeleportSettings& settings,
                                                           Clock& clock, Logger& log,
                                                           const Keepalive& keepalive = {});

}  // namespace tw::teleport
