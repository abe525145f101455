// EndpointPlan: an endpoint's settings made ready for sending: keys parsed, programs compiled, headers put
// together. Turns a stored event into the exact request of one attempt. One thread at a time (it owns jq
// programs).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/settings.h"
#include "crypto/webhook_signature.h"
#include "jq/jq_program.h"
#include "webhook/http_transport.h"
#include "webhook/legacy_body.h"

namespace tw::webhook {

class EndpointPlan {
 public:
  // `compiler` may be null when the endpoint has no `transform`. `user_agent`: "teleport-webhooks/<version>".
  // Error: kConfig naming the key; also for http:// to another machine without `allow_http`.
  static Result<EndpointPlan> Make(const config::EndpointSettings& settings, BodyContext context,
                                   std::string user_agent, jq::Compiler* compiler);

  // The request for an event, signed for this moment. Error: the event cannot be shaped (a dead letter); the
  // message names the program and never the secret.
  Result<HttpCall> Build(std::uint64_t call_id, std::string_view webhook_id, std::string_view event_json,
                         SystemTime now) const;

  const config::EndpointSettings& settings() const { return settings_; }

 private:
  EndpointPlan() = default;

  config::EndpointSettings settings_;
  BodyContext context_;
  std::shared_ptr<const HttpTarget> target_;
  std::vector<std::pair<std::string, std::string>> fixed_headers_;
  std::vector<crypto::WebhookKey> keys_;
  std::shared_ptr<jq::Program> transform_;
};

}  // namespace tw::webhook
