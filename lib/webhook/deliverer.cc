#include "webhook/deliverer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/backoff.h"
#include "base/duration.h"
#include "webhook/retry_policy.h"

namespace tw::webhook {
namespace {

using std::chrono::milliseconds;
using store::AttemptRecord;
using store::Delivery;
using store::DeliveryStatus;

constexpr std::chrono::hours kLease{
    2};  // longer than a full window may take; a restart gives leases back at once
constexpr milliseconds kLongestWait{500};       // one round of an idle loop
constexpr std::chrono::seconds kReread{1};      // how often a disabled endpoint is looked up in the store
constexpr std::chrono::seconds kResave{1};      // how old the last answer in the store may be
constexpr std::chrono::seconds kClockStep{30};  // set back by less is not worth a word
// How long one endpoint's programs may keep the others waiting in a round.
constexpr milliseconds kTurn{20};

std::string_view OutcomeWord(DeliveryStatus status, Verdict verdict) {
  if (verdict == Verdict::kDisable) return "disabled";
  switch (status) {
    case DeliveryStatus::kDelivered:
      return "delivered";
    case DeliveryStatus::kDead:
      return "dead";
    case DeliveryStatus::kPending:
      break;
  }
  return "retry";
}

// Not while disabled: a manual test may have lifted that in the store.
bool MaySave(const Lane& lane) {
  return lane.health.state().hold != store::HoldKind::kDisabled;
}

AttemptRecord GivenBack(const Delivery& delivery, SystemTime now) {
  AttemptRecord record;
  record.delivery_id = delivery.id;
  record.at = now;
  record.due = delivery.due;
  record.counted = false;
  return record;
}

}  // namespace

// What other threads leave for the loop.
struct Deliverer::Inbox {
  std::mutex mutex;
  std::vector<Delivery> claimed;
  std::map<std::string, std::size_t, std::less<>>
      room;  // as the loop last saw it, less what was handed out since
  std::optional<std::vector<Lane>> lanes;
  bool notified = false;
};

Deliverer::Deliverer(store::Store& store, std::unique_ptr<HttpTransport> transport, Clock& clock,
                     Random& random, Logger& log, DeliveryObserver& observer, std::string owner)
    : clock_(clock),
      random_(random),
      log_(log),
      observer_(observer),
      store_(store),
      transport_(std::move(transport)),
      clerk_(store, clock, log, std::move(owner), kLease, [this] { transport_->Wake(); }),
      inbox_(std::make_unique<Inbox>()) {}

Deliverer::~Deliverer() {
  Stop(milliseconds(0));
}

Status Deliverer::SetEndpoints(std::vector<EndpointPlan> plans) {
  std::vector<Lane> lanes;
  for (EndpointPlan& plan : plans) {
    auto stored = store_.FindEndpoint(plan.settings().name);
    if (!stored) return stored.error();
    EndpointHealth health(plan.settings(), std::move(*stored), clock_.Now());
    lanes.emplace_back(std::move(plan), std::move(health));
  }
  {
    std::lock_guard lock(inbox_->mutex);
    inbox_->lanes = std::move(lanes);
    inbox_->room.clear();
  }
  transport_->Wake();
  return {};
}

void Deliverer::Start() {
  // What a predecessor of the same name left leased when it died would else wait for its lease to run out.
  if (const Status released = store_.ReleaseLeases(clerk_.owner()); !released) {
    log_.Warn("cannot free the deliveries of an earlier run", {{"error", released.error().message}});
  }
  clerk_.Start();
  thread_ = std::jthread([this] { Loop(); });
}

void Deliverer::Stop(milliseconds drain) {
  if (!thread_.joinable()) return;
  drain_until_ = (clock_.Steady() + drain).time_since_epoch().count();
  draining_ = true;
  transport_->Wake();
  thread_.join();
  clerk_.Stop();
  if (const Status released = store_.ReleaseLeases(clerk_.owner()); !released) {
    log_.Warn("cannot give deliveries back to the store", {{"error", released.error().message}});
  }
}

void Deliverer::Hurry() {
  hurried_ = true;
  transport_->Wake();
}

void Deliverer::Notify() {
  {
    std::lock_guard lock(inbox_->mutex);
    if (std::exchange(inbox_->notified, true)) return;
  }
  transport_->Wake();
}

store::ClaimOnCommit Deliverer::Room() {
  std::lock_guard lock(inbox_->mutex);
  return {clerk_.owner(), clerk_.LeaseUntil(), inbox_->room};
}

void Deliverer::Take(std::vector<Delivery> claimed) {
  {
    std::lock_guard lock(inbox_->mutex);
    for (Delivery& delivery : claimed) {
      auto& room = inbox_->room[delivery.endpoint];
      room -= std::min<std::size_t>(room, 1);
      inbox_->claimed.push_back(std::move(delivery));
    }
    inbox_->notified = true;
  }
  transport_->Wake();
}

SteadyTime Deliverer::last_tick() const {
  return SteadyTime(SteadyTime::duration(last_tick_.load()));
}

void Deliverer::Loop() {
  while (!(draining_ && Drained())) {
    last_tick_ = clock_.Steady().time_since_epoch().count();
    TakeInbox();
    Pump();
    PublishRoom();
    for (const HttpAnswer& answer : transport_->Poll(Wait())) Receive(answer);
    if (!finished_.empty()) clerk_.Finish(std::exchange(finished_, {}));
  }
  transport_->CancelAll();
  const SystemTime now = clock_.Now();
  for (const auto& [id, sent] : under_way_) Record(GivenBack(sent.delivery, now));
  under_way_.clear();
  for (Lane& lane : lanes_) {
    GiveBack(lane);
    if (lane.unsaved && MaySave(lane)) Save(lane);
  }
  clerk_.Finish(std::exchange(finished_, {}));
}

bool Deliverer::Drained() {
  return under_way_.empty() || hurried_ || clock_.Steady().time_since_epoch().count() >= drain_until_;
}

void Deliverer::TakeInbox() {
  std::vector<Delivery> claimed;
  std::optional<std::vector<Lane>> lanes;
  bool notified = false;
  {
    std::lock_guard lock(inbox_->mutex);
    claimed.swap(inbox_->claimed);
    lanes.swap(inbox_->lanes);
    notified = std::exchange(inbox_->notified, false);
  }
  if (lanes) ReplaceLanes(std::move(*lanes));
  if (notified) {
    for (Lane& lane : lanes_) lane.more = true;
  }
  for (Delivery& delivery : claimed) {
    if (Lane* lane = FindLane(delivery.endpoint)) {
      lane->ready.push_back(std::move(delivery));
    } else {
      Record(GivenBack(delivery, clock_.Now()));
    }
  }
  for (Errand& errand : clerk_.TakeErrands()) TakeErrand(std::move(errand));
}

void Deliverer::TakeErrand(Errand errand) {
  Lane* lane = FindLane(errand.endpoint);
  if (lane == nullptr) {
    for (const Delivery& delivery : errand.deliveries) Record(GivenBack(delivery, clock_.Now()));
    return;
  }
  if (errand.stored) {
    // Only a manual test that succeeded writes "not held" while we hold: obey it.
    const bool lifted = errand.stored->hold == store::HoldKind::kNone &&
                        lane->health.state().hold == store::HoldKind::kDisabled;
    if (!lifted) return;
    lane->health.Lift(clock_.Now());
    TellChange(*lane, EndpointHealth::Change::kRecovered);
    return;
  }
  lane->wished = false;
  lane->next_due = errand.next_due;
  for (Delivery& delivery : errand.deliveries) lane->ready.push_back(std::move(delivery));
}

void Deliverer::ReplaceLanes(std::vector<Lane> lanes) {
  for (Lane& lane : lanes) {
    Lane* old = FindLane(lane.name());
    if (old == nullptr) continue;
    // What this process knows is newer than what it read from the store.
    lane.health = EndpointHealth(lane.plan.settings(), old->health.state(), clock_.Now());
    lane.ready = std::exchange(old->ready, {});
    lane.wished = old->wished;
  }
  lanes.swap(lanes_);
  for (Lane& old : lanes) {
    GiveBack(old);  // empty unless the endpoint is configured no more
    if (FindLane(old.name()) == nullptr) observer_.OnEndpointRemoved(old.name());
  }
  // Counted anew: an endpoint may have been away while its requests were under way.
  for (const auto& [id, sent] : under_way_) {
    if (Lane* lane = FindLane(sent.delivery.endpoint)) ++lane->under_way;
  }
  for (Lane& lane : lanes_) {
    observer_.OnEndpointState(lane.name(), lane.health.state().hold);
    if (MaySave(lane)) Save(lane);
    if (!lane.health.url_changed()) continue;
    log_.Info("endpoint has another URL: what waits for it is due now", {{"endpoint", lane.name()}});
    clerk_.MakeAllDue(lane.name());
  }
}

// Tries are put off to a time of day: set back by an hour, the clock would make what waits for a second wait
// for an hour.
void Deliverer::MindTheClock(SystemTime now) {
  const SystemTime before = std::exchange(latest_, now);
  if (now + kClockStep > before) return;
  log_.Warn("the clock was set back: what waits is due now",
            {{"by", FormatDuration(std::chrono::duration_cast<milliseconds>(before - now))}});
  for (Lane& lane : lanes_) {
    clerk_.MakeAllDue(lane.name());
    lane.more = true;
  }
}

void Deliverer::Pump() {
  if (draining_) return;
  const SystemTime now = clock_.Now();
  MindTheClock(now);
  for (Lane& lane : lanes_) {
    lane.health.BoundHold(now);
    const int allowed = lane.health.Allowed(now);
    if (allowed == 0 && !lane.ready.empty()) GiveBack(lane);
    const SteadyTime turn_ends = clock_.Steady() + kTurn;
    while (lane.under_way < allowed && !lane.ready.empty()) {
      Delivery next = std::move(lane.ready.front());
      lane.ready.pop_front();
      Send(lane, std::move(next));
      if (clock_.Steady() >= turn_ends) break;
    }
  }
  // Before the wishes, which then see what these records free.
  if (!finished_.empty()) clerk_.Finish(std::exchange(finished_, {}));
  for (Lane& lane : lanes_) Ask(lane, now);
}

void Deliverer::Ask(Lane& lane, SystemTime now) {
  if (const std::size_t wanting = lane.Wanting(now); wanting > 0) {
    lane.wished = true;
    lane.more = false;
    lane.next_due.reset();
    clerk_.Wish(lane.name(), wanting);
  }
  if (lane.health.state().hold == store::HoldKind::kDisabled &&
      clock_.Steady() - lane.last_reread >= kReread) {
    lane.last_reread = clock_.Steady();
    clerk_.Reread(lane.name());
  }
  if (lane.unsaved && MaySave(lane) && clock_.Steady() - lane.last_saved >= kResave) Save(lane);
}

void Deliverer::Save(Lane& lane) {
  lane.unsaved = false;
  lane.last_saved = clock_.Steady();
  clerk_.Save(lane.health.state());
}

void Deliverer::Send(Lane& lane, Delivery delivery) {
  const SystemTime now = clock_.Now();
  auto call = lane.plan.Build(next_call_, delivery.event_id, delivery.event_json, now);
  if (!call) {
    AttemptRecord record;
    record.delivery_id = delivery.id;
    record.status = DeliveryStatus::kDead;
    record.at = record.due = now;
    record.error = call.error().message;
    log_.Error("dead letter: the event cannot be shaped for its endpoint", {{"endpoint", lane.name()},
                                                                            {"delivery", delivery.id},
                                                                            {"event", delivery.event_id},
                                                                            {"error", record.error}});
    observer_.OnAttempt(lane.name(), "dead", {}, {});
    Record(std::move(record));
    lane.more = true;
    return;
  }
  under_way_.emplace(next_call_++, UnderWay{std::move(delivery), now, lane.health.state().url_digest,
                                            lane.health.HeldTotal(now)});
  ++lane.under_way;
  transport_->Submit(std::move(*call));
}

void Deliverer::Receive(const HttpAnswer& answer) {
  const auto found = under_way_.find(answer.id);
  if (found == under_way_.end()) return;
  const UnderWay sent = std::move(found->second);
  under_way_.erase(found);
  const SystemTime now = clock_.Now();
  Judgement judgement = Judge(answer, now);
  Lane* lane = FindLane(sent.delivery.endpoint);
  // What a former URL refuses is no word of the present one.
  const bool current = lane != nullptr && lane->health.state().url_digest == sent.url_digest;
  if (!current && judgement.verdict != Verdict::kDelivered) judgement.verdict = Verdict::kRetry;
  AttemptRecord record = Conclude(sent, answer, judgement, current ? lane : nullptr);
  observer_.OnAttempt(sent.delivery.endpoint, OutcomeWord(record.status, judgement.verdict), answer.took,
                      std::chrono::duration_cast<std::chrono::microseconds>(now - sent.delivery.created));
  Record(std::move(record));
  if (lane == nullptr) return;
  --lane->under_way;
  lane->more = true;  // the next event of this request may go now
  if (!current) return;
  lane->unsaved = true;
  TellChange(*lane, lane->health.Apply(judgement, sent.began, now, random_));
}

AttemptRecord Deliverer::Conclude(const UnderWay& sent, const HttpAnswer& answer, const Judgement& judgement,
                                  Lane* lane) {
  const Delivery& delivery = sent.delivery;
  const SystemTime now = clock_.Now();
  AttemptRecord record;
  record.delivery_id = delivery.id;
  record.at = sent.began;
  record.took = std::chrono::duration_cast<milliseconds>(answer.took);
  record.http_status = answer.status;
  record.due = now;
  record.held_total = sent.held_total;
  if (judgement.verdict == Verdict::kDelivered) {
    record.status = DeliveryStatus::kDelivered;
    log_.Debug("delivered", {{"endpoint", delivery.endpoint},
                             {"event", delivery.event_id},
                             {"request_id", delivery.request_id},
                             {"answer", judgement.what}});
    return record;
  }
  record.error = judgement.what;
  if (judgement.verdict == Verdict::kDisable) return record;
  if (lane == nullptr) {
    log_.Warn("delivery failed at a URL that is configured no more; it stays queued",
              {{"endpoint", delivery.endpoint},
               {"event", delivery.event_id},
               {"request_id", delivery.request_id},
               {"reason", judgement.what}});
    return record;
  }
  const config::RetrySettings& retry = lane->plan.settings().retry;
  const milliseconds held =
      lane->health.HeldTotal(now) - (delivery.first_attempt ? delivery.held_before_first : record.held_total);
  const auto elapsed = now - delivery.first_attempt.value_or(sent.began) - held;
  const bool used_up = judgement.verdict == Verdict::kRetry && elapsed >= retry.max_elapsed;
  if (judgement.verdict == Verdict::kDead || used_up) {
    record.status = DeliveryStatus::kDead;
    if (used_up)
      record.error = fmt::format("retries used up after {}; last: {}", FormatDuration(retry.max_elapsed),
                                 judgement.what);
    log_.Error("dead letter", {{"endpoint", delivery.endpoint},
                               {"delivery", delivery.id},
                               {"event", delivery.event_id},
                               {"request_id", delivery.request_id},
                               {"reason", record.error}});
    return record;
  }
  record.due = now + std::chrono::ceil<std::chrono::microseconds>(FullJitter(
                         retry.initial, retry.max, static_cast<unsigned>(delivery.attempts), random_));
  log_.Warn("delivery failed; it will be tried again", {{"endpoint", delivery.endpoint},
                                                        {"event", delivery.event_id},
                                                        {"request_id", delivery.request_id},
                                                        {"attempt", delivery.attempts + 1},
                                                        {"reason", judgement.what}});
  return record;
}

void Deliverer::TellChange(Lane& lane, EndpointHealth::Change change) {
  if (change == EndpointHealth::Change::kNone) return;
  const store::EndpointState& state = lane.health.state();
  Save(lane);
  observer_.OnEndpointState(lane.name(), state.hold);
  switch (change) {
    case EndpointHealth::Change::kRecovered:
      log_.Info("endpoint works again", {{"endpoint", lane.name()}});
      clerk_.MakeAllDue(lane.name());
      lane.more = true;
      return;
    case EndpointHealth::Change::kDisabled:
      log_.Error(
          "endpoint disabled: it answered 410; its events are kept",
          {{"endpoint", lane.name()},
           {"hint", fmt::format("lift with: teleport-webhooks send --test --endpoint {}", lane.name())}});
      break;
    case EndpointHealth::Change::kHeld:
      log_.Warn("endpoint held; its events are kept",
                {{"endpoint", lane.name()},
                 {"state", HoldName(state.hold)},
                 {"until", state.hold_until ? FormatTime(*state.hold_until) : ""},
                 {"answer", state.last_answer}});
      break;
    case EndpointHealth::Change::kNone:
      break;
  }
  GiveBack(lane);
}

void Deliverer::GiveBack(Lane& lane) {
  const SystemTime now = clock_.Now();
  for (const Delivery& delivery : std::exchange(lane.ready, {})) Record(GivenBack(delivery, now));
  lane.more = true;
}

void Deliverer::PublishRoom() {
  const SystemTime now = clock_.Now();
  std::lock_guard lock(inbox_->mutex);
  // What was handed over since the inbox was taken is not counted in the lanes yet.
  const bool stale = inbox_->lanes.has_value() || inbox_->notified || !inbox_->claimed.empty();
  for (const Lane& lane : lanes_) inbox_->room[lane.name()] = stale || draining_ ? 0 : lane.Room(now);
}

milliseconds Deliverer::Wait() const {
  const SystemTime now = clock_.Now();
  SystemTime next = now + kLongestWait;
  for (const Lane& lane : lanes_) {
    const bool turn_cut = !draining_ && !lane.ready.empty() && lane.under_way < lane.health.Allowed(now);
    if (turn_cut) return milliseconds(0);
    const auto held_until = lane.health.HeldUntil();
    if (held_until && *held_until > now) {
      next = std::min(next, *held_until);
    } else if (lane.next_due && lane.Wanting(std::max(*lane.next_due, now)) > 0) {
      next = std::min(next, *lane.next_due);  // only where the clerk would be asked then: else we would spin
    }
  }
  return std::max(std::chrono::ceil<milliseconds>(next - now), milliseconds(0));
}

Lane* Deliverer::FindLane(const std::string& endpoint) {
  const auto found =
      std::find_if(lanes_.begin(), lanes_.end(), [&](const Lane& lane) { return lane.name() == endpoint; });
  return found == lanes_.end() ? nullptr : &*found;
}

}  // namespace tw::webhook
