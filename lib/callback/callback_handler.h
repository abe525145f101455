// CallbackHandler: from an HTTP request to a decision and its answer, the whole of product.md section 5. No
// sockets, so that tests can drive it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "callback/attempt_log.h"
#include "callback/authenticator.h"
#include "callback/client_address.h"
#include "callback/http_server.h"
#include "callback/ports.h"
#include "callback/rate_limiter.h"
#include "callback/replay_guard.h"
#include "callback/route.h"
#include "config/settings.h"

namespace tw::callback {

// Must outlive the handler.
struct HandlerPorts {
  DecisionService& service;
  ReplayMemory& replay;
  AuditLog& audit;
  CallbackObserver& observer;
  Clock& clock;
  Logger& log;
};

// Any thread; Handle runs on several at once.
class CallbackHandler final : public HttpHandler {
 public:
  // Error: kConfig, see StartupProblem.
  static Result<std::unique_ptr<CallbackHandler>> Make(const config::HttpSettings& http,
                                                       const config::CallbackSettings& callback,
                                                       HandlerPorts ports);

  HttpResponse Handle(const HttpRequest& request, std::stop_token stop) override;
  HttpResponse Refuse(const HttpRequest& request, int status, std::string_view reason) override;

  // New settings for requests from now on. On error the old ones stay.
  Status Reload(const config::HttpSettings& http, const config::CallbackSettings& callback);
  // From now on decisions are answered 503; what is under way goes on.
  void Drain() { draining_ = true; }

 private:
  struct Rules {
    config::HttpSettings http;
    config::CallbackSettings callback;
    std::unique_ptr<Authenticator> authenticator;
    AddressSet trusted;
  };
  // One request on its way.
  struct Call;

  explicit CallbackHandler(HandlerPorts ports);
  static Result<std::shared_ptr<const Rules>> MakeRules(const config::HttpSettings& http,
                                                        const config::CallbackSettings& callback);
  std::shared_ptr<const Rules> CurrentRules() const;

  Answer Dispatch(const HttpRequest& request, std::stop_token stop);
  std::optional<Answer> Admit(const Call& call);
  std::optional<Answer> Authenticate(Call& call, bool bound);
  std::optional<Answer> NotNow();
  Answer Show(Call& call);
  Answer Decide(Call& call);
  std::optional<Answer> ReadAsk(Call& call) const;
  Answer DecideOnce(Call& call);
  std::optional<Answer> CheckAsk(Call& call) const;
  std::optional<Answer> CheckRequest(Call& call);
  access::CallLimits Limits(const Call& call) const;
  void Tell(const Call& call, const Answer& answer);

  HandlerPorts ports_;
  mutable std::mutex rules_mutex_;
  std::shared_ptr<const Rules> rules_;
  RateLimiter clients_;
  RateLimiter callers_;
  ReplayGuard replays_;
  AttemptLog attempts_;
  std::atomic<bool> draining_{false};
};

}  // namespace tw::callback
