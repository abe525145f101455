#include "verbs/stored_deliveries.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/duration.h"
#include "base/text.h"
#include "store/sqlite_store.h"
#include "verbs/test_event.h"
#include "webhook/endpoint_health.h"

namespace tw::cli {
namespace {

using store::Delivery;
using store::DeliveryStatus;

using Json = nlohmann::ordered_json;

constexpr std::chrono::hours kLease{1};

Result<std::optional<SystemTime>> Since(const Arguments& args, const Clock& clock) {
  const auto text = args.Value("since");
  if (!text) return std::optional<SystemTime>();
  if (const auto ago = ParseDuration(*text)) return std::optional<SystemTime>(clock.Now() - *ago);
  const auto time = ParseTime(*text);
  if (!time)
    return Error::Usage(fmt::format("--since \"{}\" is neither a time nor a duration", EscapeControls(*text)),
                        "write 2026-11-22T10:00:00Z, or 2h for two hours ago");
  return std::optional(*time);
}

Result<std::vector<std::int64_t>> DeliveryIds(const Arguments& args) {
  std::vector<std::int64_t> ids;
  for (const std::string& text : args.Values("delivery")) {
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc() || end != text.data() + text.size() || id <= 0) {
      return Error::Usage(fmt::format("--delivery \"{}\" is not the id of a delivery", EscapeControls(text)),
                          "see teleport-webhooks check --queue");
    }
    ids.push_back(id);
  }
  return ids;
}

class StoredSender {
 public:
  StoredSender(Invocation& invocation, const SendTargets& targets, HandSender& sender, store::Store& store,
               std::stop_token stop)
      : invocation_(invocation),
        targets_(targets),
        sender_(sender),
        store_(store),
        stop_(std::move(stop)),
        owner_(fmt::format("send-{}", getpid())) {}

  Status Run() {
    const Arguments& args = invocation_.args();
    const auto ids = DeliveryIds(args);
    if (!ids) return ids.error();
    for (const std::int64_t id : *ids) {
      store::DeliveryQuery query;
      query.delivery_id = id;
      const auto found = store_.Deliveries(query);
      if (!found) return found.error();
      if (found->empty()) {
        sender_.tally().Failed(ErrorKind::kNotFound);
        invocation_.Warn(fmt::format("no delivery {}; see teleport-webhooks check --queue", id));
        continue;
      }
      if (stop_.stop_requested()) return Error::Cancelled();
      if (const Status acted = Act(found->front()); !acted) return acted;
    }
    if (args.Has("failed")) {
      if (const Status acted = All(DeliveryStatus::kDead); !acted) return acted;
    }
    if (args.Has("delivered")) return All(DeliveryStatus::kDelivered);
    return {};
  }

 private:
  Status All(DeliveryStatus status) {
    const auto since = Since(invocation_.args(), clock_);
    if (!since) return since.error();
    store::DeliveryQuery query;
    query.status = status;
    query.since = *since;
    while (!stop_.stop_requested()) {
      const auto page = store_.Deliveries(query);
      if (!page) return page.error();
      if (page->empty()) return {};
      for (const Delivery& delivery : *page) {
        if (stop_.stop_requested()) return Error::Cancelled();
        query.after_id = delivery.id;
        const bool chosen = targets_.Find(delivery.endpoint) != nullptr;
        if (!chosen && !invocation_.args().Has("endpoint")) {
          invocation_.Warn(fmt::format("delivery {}: skipped, endpoint {} is not configured", delivery.id,
                                       delivery.endpoint));
        }
        if (!chosen) continue;
        if (const Status acted = Act(delivery); !acted) return acted;
      }
    }
    return Error::Cancelled();
  }

  Status Act(const Delivery& delivery) {
    const Arguments& args = invocation_.args();
    if (args.Has("discard")) return Discard(delivery);
    const webhook::EndpointPlan* plan = targets_.Find(delivery.endpoint);
    if (plan == nullptr) {
      sender_.tally().Failed(ErrorKind::kUsage);
      invocation_.Warn(fmt::format("delivery {} is for endpoint {}, which is not chosen or not configured",
                                   delivery.id, delivery.endpoint));
      return {};
    }
    // What was delivered was taken in its order before, and is sent in that order again.
    if (delivery.status == DeliveryStatus::kDead && !args.Has("stale")) {
      const auto superseded = store_.Superseded(delivery.id);
      if (!superseded) return superseded.error();
      if (*superseded) {
        invocation_.Note(fmt::format(
            "delivery {}: skipped, a later event of {} was delivered since (--stale sends it all the same)",
            delivery.id, delivery.request_id));
        return {};
      }
    }
    return Resend(*plan, delivery);
  }

  Status Discard(const Delivery& delivery) {
    const bool dry = invocation_.args().Has("dry-run");
    if (!dry) {
      const Status discarded = store_.Discard(delivery.id);
      if (!discarded && discarded.error().kind == ErrorKind::kNotFound) return {};  // gone already, as wanted
      if (!discarded) return discarded;
    }
    sender_.tally().Succeeded();
    if (invocation_.format() == Format::kText)
      return invocation_.out().Line(
          fmt::format("delivery {}: {}", delivery.id, dry ? "would be discarded" : "discarded"));
    Json line = {{"delivery", delivery.id},
                 {"endpoint", delivery.endpoint},
                 {"webhook_id", delivery.event_id},
                 {"request_id", delivery.request_id},
                 {"discarded", !dry}};
    if (dry) line["dry_run"] = true;
    return invocation_.out().Line(line.dump(-1, ' ', false, Json::error_handler_t::replace));
  }

  Status Resend(const webhook::EndpointPlan& plan, const Delivery& listed) {
    const std::string id = invocation_.args().Has("new-id") ? NewId(listed) : listed.event_id;
    if (invocation_.args().Has("dry-run")) {
      const auto shown = sender_.Send(plan, id, listed.event_json);
      return shown ? sender_.Tell(plan, id, *shown) : Status(shown.error());
    }
    const SystemTime now = clock_.Now();
    const auto delivery = store_.ClaimOne(listed.id, now, owner_, now + kLease);
    if (!delivery) return delivery.error();
    if (!*delivery) {
      invocation_.Warn(fmt::format("delivery {}: skipped, it is being sent now", listed.id));
      return {};
    }
    if ((*delivery)->status != listed.status) return LeaveAlone(**delivery);
    const auto state = store_.FindEndpoint(listed.endpoint);
    auto report = sender_.Send(plan, id, (*delivery)->event_json);
    store::AttemptRecord record;
    record.delivery_id = listed.id;
    record.status = (*delivery)->status;
    record.at = now;
    record.due = (*delivery)->due;
    record.counted = report.has_value();
    if (state && *state) record.held_total = webhook::HeldTotal(**state, now);
    if (report && *report) {
      record.http_status = (*report)->answer.status;
      record.took = std::chrono::duration_cast<std::chrono::milliseconds>((*report)->answer.took);
      const bool delivered = (*report)->judgement.verdict == webhook::Verdict::kDelivered;
      if (delivered) record.status = DeliveryStatus::kDelivered;
      if (!delivered) record.error = (*report)->judgement.what;
    }
    const Status finished = store_.Finish(std::span(&record, 1));
    if (!report) return report.error();
    return finished ? sender_.Tell(plan, id, *report) : finished;
  }

  // Another has sent it since it was listed.
  Status LeaveAlone(const Delivery& delivery) {
    store::AttemptRecord record;
    record.delivery_id = delivery.id;
    record.status = delivery.status;
    record.at = delivery.finished.value_or(clock_.Now());
    record.due = delivery.due;
    record.counted = false;
    invocation_.Note(fmt::format("delivery {}: skipped, it has been sent meanwhile", delivery.id));
    return store_.Finish(std::span(&record, 1));
  }

  std::string NewId(const Delivery& delivery) {
    invocation_.Note(fmt::format("delivery {}: {} goes out under a new id", delivery.id, delivery.event_id));
    return NewEventId(random_);
  }

  Invocation& invocation_;
  const SendTargets& targets_;
  HandSender& sender_;
  store::Store& store_;
  std::stop_token stop_;
  std::string owner_;
  RealClock clock_;
  SystemRandom random_;
};

}  // namespace

Status SendStored(Invocation& invocation, const SendTargets& targets, HandSender& sender,
                  std::stop_token stop) {
  store::SqliteOptions options;
  options.create = false;
  const auto store = store::OpenSqliteStore(targets.settings.state.dir, options);
  if (!store) return store.error();
  return StoredSender(invocation, targets, sender, **store, std::move(stop)).Run();
}

void LiftHold(const Invocation& invocation, const std::string& state_dir, const std::string& endpoint) {
  store::SqliteOptions options;
  options.create = false;
  const auto store = store::OpenSqliteStore(state_dir, options);
  if (!store) {
    const bool wanted = invocation.args().Has("endpoint") && store.error().kind != ErrorKind::kNotFound;
    if (wanted) {
      invocation.Warn(fmt::format("endpoint {}: cannot look whether a 410 holds it: {}", endpoint,
                                  store.error().message));
    }
    return;
  }
  auto state = (*store)->FindEndpoint(endpoint);
  if (!state || !*state || (*state)->hold != store::HoldKind::kDisabled) return;
  webhook::LiftHold(**state, RealClock().Now());
  Status saved = (*store)->SaveEndpoint(**state);
  if (saved) saved = (*store)->MakeAllDue(endpoint);
  if (saved) {
    invocation.Note(fmt::format("endpoint {}: in use again", endpoint));
  } else {
    invocation.Warn(fmt::format("endpoint {}: cannot lift its hold: {}", endpoint, saved.error().message));
  }
}

}  // namespace tw::cli
