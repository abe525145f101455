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

// Shorter texts say nothing, and would be found everywhere.
constexpr std::size_t kLeastHidden = 4;

std::vector<std::string> SecretsOf(const config::EndpointSettings& settings) {
  const std::string& target = settings.url.target;
  std::vector<std::string> out{settings.url.WithoutUserInfo(), target};
  if (const auto query = target.find('?'); query != std::string::npos) {
    out.push_back(target.substr(0, query));
    out.push_back(target.substr(query + 1));
  }
  const auto add_login = [&](std::string_view user, const Secret& password) {
    out.emplace_back(password.Reveal());
    out.push_back(Base64Encode(fmt::format("{}:{}", user, password.Reveal())));
  };
  if (!settings.basic_password.empty()) add_login(settings.basic_user, settings.basic_password);
  if (!settings.url.password.empty()) add_login(settings.url.user, settings.url.password);
  out.emplace_back(settings.bearer_token.Reveal());
  for (const config::Header& header : settings.headers) out.emplace_back(header.value.Reveal());
  for (const Secret& secret : settings.secrets) out.emplace_back(secret.Reveal());
  std::erase_if(out, [](const std::string& text) { return text.size() < kLeastHidden; });
  // The longest first: the whole goes before its parts.
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return out;
}

}  // namespace

std::string HideSent(const config::EndpointSettings& settings, std::string text) {
  for (const std::string& secret : SecretsOf(settings)) {
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + kHidden.size()))
      text.replace(at, secret.size(), kHidden);
  }
  return text;
}

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
    Duration wait = FullJitter(retry.initial, retry.max, static_cast<unsigned>(report.attempts - 1), random);
    if (report.judgement.hold_until) {
      const Duration asked = *report.judgement.hold_until - clock.Now();
      if (asked > retry.max) return report;
      wait = std::max(wait, asked);
    }
    if (!clock.SleepFor(wait, stop)) return Error::Cancelled();
  }
}

ShownRequest Shown(const EndpointPlan& plan, const HttpCall& call, bool reveal) {
  ShownRequest shown{reveal ? std::string(call.target->url.Reveal()) : plan.settings().url.Redacted(), {}};
  for (const auto& [name, value] : call.headers) {
    const bool hidden = !reveal && SecretHeader(plan, name);
    shown.headers.emplace_back(name, hidden ? std::string(kHidden) : EscapeControls(value));
  }
  return shown;
}

std::string RequestText(const EndpointPlan& plan, const HttpCall& call, std::string_view prefix,
                        bool reveal) {
  const ShownRequest shown = Shown(plan, call, reveal);
  std::string out = fmt::format("{}POST {}\n", prefix, shown.url);
  for (const auto& [name, value] : shown.headers) out += fmt::format("{}{}: {}\n", prefix, name, value);
  return out;
}

}  // namespace tw::webhook
