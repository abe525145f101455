// CallbackSide: the listener, the handler and what they need; the half of the daemon that takes decisions.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "access/decider.h"
#include "callback/callback_handler.h"
#include "callback/decider_service.h"
#include "callback/http_server.h"
#include "callback/store_replay.h"
#include "callback/tls_files.h"
#include "config/settings.h"
#include "daemon/health.h"
#include "store/store.h"

namespace tw::daemon {

// Replace, PollCertificates and Stop: one thread at a time.
class CallbackSide {
 public:
  // Listens when it returns. The references must outlive it. Errors: what keeps the listener from opening,
  // with the key or file that is wrong.
  static Result<std::unique_ptr<CallbackSide>> Start(const config::Settings& settings, access::AccessApi& api,
                                                     store::Store& store, const Health& health,
                                                     callback::CallbackObserver& observer, Clock& clock,
                                                     Logger& log);
  ~CallbackSide();

  // Puts new credentials, rules and certificates in force. On error the old ones stay, all of them.
  Status Replace(const config::Settings& settings);
  // Takes up renewed certificate files; an unusable pair leaves the old one in force and is told once.
  void PollCertificates();
  void Stop(std::chrono::milliseconds drain);

 private:
  CallbackSide(access::AccessApi& api, store::Store& store, const Health& health, Clock& clock, Logger& log);
  Status Open(const config::Settings& settings, callback::CallbackObserver& observer);
  Result<callback::TlsPaths> Paths(const config::Settings& settings);

  Clock& clock_;
  Logger& log_;
  access::Decider decider_;
  callback::DeciderService decisions_;
  callback::StoreReplay replay_;
  std::string directory_;  // the state directory, the same for as long as we run
  std::unique_ptr<callback::AuditLog> audit_;
  std::unique_ptr<callback::CallbackHandler> handler_;
  std::unique_ptr<callback::HttpServer> server_;
  std::optional<callback::TlsWatch> certificates_;
};

}  // namespace tw::daemon
