// SendOnce: one event to one endpoint, now, for `send` and `check --send-test`; nothing is stored. Uses the
// same request as the deliverer.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "webhook/endpoint_plan.h"
#include "webhook/http_transport.h"
#include "webhook/retry_policy.h"

namespace tw::webhook {

struct HandDelivery {
  std::string_view webhook_id;
  std::string_view event_json;
  int retries = 0;  // tries after the first
};

struct SendReport {
  Judgement judgement;
  HttpAnswer answer;
  int attempts = 0;
};

// Sees each attempt: the request before it goes and the answer after.
struct AttemptView {
  std::function<void(const HttpCall&)> request;
  std::function<void(const HttpAnswer&)> answer;
};

// Tries until delivered, refused for good, out of retries, asked to wait for longer than retry.max, or
// `stop`. A shorter Retry-After is obeyed. Errors: kReceiver (the event cannot be shaped), kCancelled. A
// refusal by the receiver is a report, not an error.
Result<SendReport> SendOnce(HttpTransport& transport, const EndpointPlan& plan, const HandDelivery& delivery,
                            Clock& clock, Random& random, const AttemptView& view, std::stop_token stop);

// The request as it may be shown. Without `reveal`, what is secret is ***.
struct ShownRequest {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
};
ShownRequest Shown(const EndpointPlan& plan, const HttpCall& call, bool reveal);
// The same as text, like curl -v shows it, lines beginning with `prefix`.
std::string RequestText(const EndpointPlan& plan, const HttpCall& call, std::string_view prefix, bool reveal);

// Text of an answer of this endpoint, for showing: a receiver may repeat what it was sent, and what was
// secret there is *** here too.
std::string HideSent(const config::EndpointSettings& settings, std::string text);

}  // namespace tw::webhook
