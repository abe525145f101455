#include "verbs/queue_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/duration.h"
#include "base/text.h"
#include "store/sqlite_store.h"
#include "webhook/endpoint_health.h"

namespace tw::cli {
namespace {

using Json = nlohmann::ordered_json;

bool Configured(const config::Settings& settings, const std::string& name) {
  for (const config::EndpointSettings& endpoint : settings.endpoints) {
    if (endpoint.name == name) return true;
  }
  return false;
}

Json SummaryJson(const store::QueueSummary& summary, bool configured) {
  Json line = {{"endpoint", summary.endpoint},
               {"configured", configured},
               {"state", webhook::HoldName(summary.state.hold)},
               {"pending", summary.pending},
               {"dead", summary.dead},
               {"delivered", summary.delivered}};
  if (summary.oldest_pending) line["oldest_pending"] = FormatTime(*summary.oldest_pending);
  if (summary.state.hold_until) line["held_until"] = FormatTime(*summary.state.hold_until);
  if (!summary.state.last_answer.empty()) line["last_answer"] = summary.state.last_answer;
  if (summary.state.last_answer_at) line["last_answer_at"] = FormatTime(*summary.state.last_answer_at);
  return line;
}

std::string SummaryText(const store::QueueSummary& summary, bool configured) {
  std::string line =
      fmt::format("{}: {}, {} pending, {} dead, {} delivered", EscapeControls(summary.endpoint),
                  webhook::HoldName(summary.state.hold), summary.pending, summary.dead, summary.delivered);
  if (summary.state.hold_until) line += fmt::format(", next probe {}", FormatTime(*summary.state.hold_until));
  if (summary.oldest_pending) line += fmt::format(", oldest {}", FormatTime(*summary.oldest_pending));
  if (!summary.state.last_answer.empty())
    line += fmt::format(", last answer {}", EscapeControls(summary.state.last_answer));
  return configured ? line : line + " (not configured any more: nothing is sent)";
}

Json DeadJson(const store::Delivery& dead) {
  return {{"dead_letter", dead.id},        {"endpoint", dead.endpoint}, {"event", dead.event_id},
          {"request_id", dead.request_id}, {"attempts", dead.attempts}, {"reason", dead.last_error}};
}

std::string DeadText(const store::Delivery& dead) {
  const std::string tries = dead.attempts == 1 ? "1 attempt" : fmt::format("{} attempts", dead.attempts);
  return fmt::format("dead letter {}: {} {} of {} after {}: {}", dead.id, EscapeControls(dead.endpoint),
                     dead.event_id, EscapeControls(dead.request_id), tries, EscapeControls(dead.last_error));
}

class QueuePrinter {
 public:
  QueuePrinter(Invocation& invocation, store::Store& store, const config::Settings& settings)
      : invocation_(invocation), store_(store), settings_(settings) {}

  Status Print() {
    const auto summaries = store_.Summaries();
    if (!summaries) return summaries.error();
    for (const store::QueueSummary& summary : *summaries) {
      const bool configured = Configured(settings_, summary.endpoint);
      // Of one that was renamed, the name alone is left once its deliveries are gone.
      const bool bare = summary.pending + summary.dead + summary.delivered == 0;
      if (!configured && bare) continue;
      if (const Status told = Tell(SummaryText(summary, configured), SummaryJson(summary, configured)); !told)
        return told;
    }
    if (const Status dead = PrintDead(); !dead) return dead;
    if (invocation_.format() != Format::kJson) return {};
    return invocation_.out().Line(lines_.dump(2, ' ', false, Json::error_handler_t::replace));
  }

 private:
  Status PrintDead() {
    store::DeliveryQuery query;
    query.status = store::DeliveryStatus::kDead;
    while (true) {
      const auto page = store_.Deliveries(query);
      if (!page) return page.error();
      if (page->empty()) return {};
      for (const store::Delivery& dead : *page) {
        query.after_id = dead.id;
        if (const Status told = Tell(DeadText(dead), DeadJson(dead)); !told) return told;
      }
    }
  }

  Status Tell(const std::string& text, Json json) {
    if (invocation_.format() == Format::kText) return invocation_.out().Line(text);
    if (invocation_.format() == Format::kNdjson)
      return invocation_.out().Line(json.dump(-1, ' ', false, Json::error_handler_t::replace));
    lines_.push_back(std::move(json));
    return {};
  }

  Invocation& invocation_;
  store::Store& store_;
  const config::Settings& settings_;
  Json lines_ = Json::array();
};

}  // namespace

int ReportQueue(Invocation& invocation, const config::Settings& settings) {
  store::SqliteOptions options;
  options.create = false;
  const auto store = store::OpenSqliteStore(settings.state.dir, options);
  if (!store) return invocation.Fail(store.error());
  const Status printed = QueuePrinter(invocation, **store, settings).Print();
  return printed || invocation.out().closed() ? 0 : invocation.Fail(printed.error());
}

}  // namespace tw::cli
