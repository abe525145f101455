#include "verbs/hand_sender.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tw::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kShownAnswer = 2000;  // bytes of an answer's body in -v

bool Delivered(const webhook::SendReport& report) {
  return report.judgement.verdict == webhook::Verdict::kDelivered;
}

}  // namespace

Result<std::optional<webhook::SendReport>> HandSender::Send(const webhook::EndpointPlan& plan,
                                                            const std::string& webhook_id,
                                                            const std::string& event_json) {
  using Report = std::optional<webhook::SendReport>;
  if (invocation_.args().Has("dry-run")) {
    const auto call = plan.Build(1, webhook_id, event_json, clock_.Now());
    if (!call) return Report(Unshaped(call.error()));
    if (const Status shown = Show(plan, webhook_id, *call); !shown) return shown.error();
    tally_.Succeeded();
    return Report();
  }
  if (!transport_) {
    auto loaded = webhook::LoadHttpTransport();
    if (!loaded) return loaded.error();
    transport_ = std::move(*loaded);
  }
  auto report = webhook::SendOnce(*transport_, plan, {webhook_id, event_json, retries_}, clock_, random_,
                                  Verbose(plan), stop_);
  if (!report && report.error().kind == ErrorKind::kReceiver) return Report(Unshaped(report.error()));
  if (!report) return report.error();
  Delivered(*report) ? tally_.Succeeded() : tally_.Failed(ErrorKind::kReceiver);
  return Report(std::move(*report));
}

Status HandSender::Tell(const webhook::EndpointPlan& plan, const std::string& webhook_id,
                        const std::optional<webhook::SendReport>& sent) {
  if (!sent) return {};
  const webhook::SendReport& report = *sent;
  const std::string& endpoint = plan.settings().name;
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(report.answer.took).count();
  if (invocation_.format() != Format::kText) {
    const Json line = {{"endpoint", endpoint},           {"url", plan.settings().url.Redacted()},
                       {"webhook_id", webhook_id},       {"delivered", Delivered(report)},
                       {"status", report.answer.status}, {"answer", report.judgement.what},
                       {"attempts", report.attempts},    {"took_ms", took}};
    return invocation_.out().Line(line.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  const Palette palette(invocation_.color());
  const std::string what =
      Delivered(report) ? palette.Green(report.judgement.what) : palette.Red(report.judgement.what);
  const std::string tries = report.attempts > 1 ? fmt::format(", {} attempts", report.attempts) : "";
  return invocation_.out().Line(fmt::format("{} {}: {} ({} ms{})", endpoint, webhook_id, what, took, tries));
}

// One event that its endpoint's program fails on must not keep the others from going out.
webhook::SendReport HandSender::Unshaped(const Error& error) {
  webhook::SendReport report;
  report.judgement = {webhook::Verdict::kDead, std::nullopt, error.message};
  tally_.Failed(ErrorKind::kReceiver);
  return report;
}

Status HandSender::Show(const webhook::EndpointPlan& plan, const std::string& webhook_id,
                        const webhook::HttpCall& call) {
  const bool reveal = invocation_.args().Has("reveal");
  if (invocation_.format() == Format::kText) {
    const std::string head = webhook::RequestText(plan, call, "", reveal);
    return invocation_.out().Write(fmt::format("{}\n{}\n", head, call.body));
  }
  const webhook::ShownRequest shown = webhook::Shown(plan, call, reveal);
  Json headers = Json::object();
  for (const auto& [name, value] : shown.headers) headers[name] = value;
  const Json line = {{"endpoint", plan.settings().name},
                     {"webhook_id", webhook_id},
                     {"dry_run", true},
                     {"method", "POST"},
                     {"url", shown.url},
                     {"headers", std::move(headers)},
                     {"body", call.body}};
  return invocation_.out().Line(line.dump(-1, ' ', false, Json::error_handler_t::replace));
}

webhook::AttemptView HandSender::Verbose(const webhook::EndpointPlan& plan) const {
  if (!invocation_.verbose()) return {};
  const auto lines = [this](std::string_view text) {
    for (const std::string_view line : Split(text, '\n')) {
      if (!line.empty()) invocation_.Note(line);
    }
  };
  webhook::AttemptView view;
  view.request = [this, &plan, lines](const webhook::HttpCall& call) {
    lines(webhook::RequestText(plan, call, "> ", invocation_.args().Has("reveal")));
    lines(call.body);
  };
  view.answer = [this, &plan, lines](const webhook::HttpAnswer& answer) {
    const bool reveal = invocation_.args().Has("reveal");
    invocation_.Note(answer.status == 0 ? fmt::format("< no answer: {}", answer.error)
                                        : fmt::format("< {}", answer.status));
    if (!answer.retry_after.empty()) invocation_.Note("< Retry-After: " + answer.retry_after);
    const std::string body = reveal ? answer.body : webhook::HideSent(plan.settings(), answer.body);
    lines(CutUtf8(body, kShownAnswer));
  };
  return view;
}

}  // namespace tw::cli
