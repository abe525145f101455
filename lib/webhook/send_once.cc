#include "webhook/send_once.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/backoff.h"
#include "base/text.h"

namespace tw::webhook {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPollSlice{100};  // how long a stop may go unnoticed

Result<HttpAnswer> Exchange(HttpTransport& transport, HttpCall call, const std::stop_token& stop) {
  const std::uint64_t id = call.id;
  transport.Submit(std::move(call));
  while (!stop.stop_requested()) {
    for (HttpAnswer& answer : transport.Poll(kPollSlice)) {
      if (answer.id == id) return std::move(answer);
    }
  }
  transport.CancelAll();
  return Error::Cancelled();
}

bool Configured(const EndpointPlan& plan, std::string_view name) {
  const auto& headers = plan.settings().headers;
  return std::any_of(headers.begin(), headers.end(), [&](const config::Header& header) {
    return AsciiLower(header.name) == AsciiLower(name);
  });
}

bool SecretHeader(const EndpointPlan& plan, std::string_view name) {
  return name == "Authorization" || Configured(plan, name);
}

}  // namespace

Result<SendReport> SendOnce(HttpTransport& transport, const EndpointPlan& plan, const HandDelivery& delivery,
                            Clock& clock, Random& random, const AttemptView& view, std::stop_token stop) {
  SendReport report;
  const config::RetrySettings& retry = plan.settings().retry;
  while (true) {
    auto call = plan.Build(1, delivery.webhook_id, delivery.event_json, clock.Now());
    if (!call) return Error{ErrorKind::kReceiver, call.error().message, call.error().hint, false};
    if (view.request) view.request(*call);
    auto answer = Exchange(transport, std::move(*call), stop);
    if (!answer) return answer.error();
    if (view.answer) view.answer(*answer);
    report.answer = std::move(*answer);
    report.judgement = Judge(report.answer, clock.Now());
    ++report.attempts;
    if (report.judgement.verdict != Verdict::kRetry || report.attempts > delivery.retries) return report;
    const Duration wait =
        FullJitter(retry.initial, retry.max, static_cast<unsigned>(report.attempts - 1), random);
    if (!clock.SleepFor(wait, stop)) return Error::Cancelled();
  }
}

std::string RequestText(const EndpointPlan& plan, const HttpCall& call, std::string_view prefix,
                        bool reveal) {
  const std::string url = reveal ? std::string(call.target->url.Reveal()) : plan.settings().url.Redacted();
  std::string out = fmt::format("{}POST {}\n", prefix, url);
  for (const auto& [name, value] : call.headers) {
    out += fmt::format("{}{}: {}\n", prefix, name,
                       reveal || !SecretHeader(plan, name) ? EscapeControls(value) : std::string(kHidden));
  }
  return out;
}

}  // namespace tw::webhook
