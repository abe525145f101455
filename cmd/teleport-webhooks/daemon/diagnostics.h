// The diagnostics listener's answers: /livez, /readyz (with reasons) and /metrics. Plain HTTP, for the
// operator's side.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/clock.h"
#include "callback/http_server.h"
#include "daemon/health.h"

namespace tw::daemon {

// Handle is safe from any thread. The references must outlive it.
class Diagnostics final : public callback::HttpHandler {
 public:
  Diagnostics(const Health& health, const Clock& clock, std::function<std::string()> metrics_text)
      : health_(health), clock_(clock), metrics_text_(std::move(metrics_text)) {}

  callback::HttpResponse Handle(const callback::HttpRequest& request, std::stop_token stop) override;
  callback::HttpResponse Refuse(const callback::HttpRequest& request, int status,
                                std::string_view reason) override;

 private:
  const Health& health_;
  const Clock& clock_;
  std::function<std::string()> metrics_text_;
};

// On top of the time that the main loop gives the others to show a sign of life.
inline constexpr std::chrono::seconds kHung{60};

}  // namespace tw::daemon
