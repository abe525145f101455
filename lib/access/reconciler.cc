#include "access/reconciler.h"

#include <utility>

#include "access/web_url.h"

namespace tw::access {
namespace {

using std::chrono::seconds;

// Removal this much before the end of a request's life still counts as its expiry: clocks differ a little.
constexpr seconds kExpirySlack{60};

// How something that a source says of a request stands to what is known. List and stream lag behind each
// other, so what is not plainly newer is not believed by itself.
enum class Step { kSame, kForward, kUnsure, kBack };

// One and the same write: Teleport's own number of it is equal.
bool SameWrite(const AccessRequest& a, const AccessRequest& b) {
  if (!a.revision.empty() || !b.revision.empty()) return a.revision == b.revision;
  return a.metadata_id != 0 && a.metadata_id == b.metadata_id;
}

// On some backends the stream tells the end of a request's life as "so many seconds from now", so that it
// differs from the list's for the same write.
bool NothingNew(const AccessRequest& known, const AccessRequest& now) {
  if (SameContent(known, now)) return true;
  if (!SameWrite(known, now)) return false;
  AccessRequest aligned = now;
  aligned.expires = known.expires;
  return SameContent(known, aligned);
}

Step StepTo(const KnownRequest& known, const AccessRequest& now) {
  if (known.gone) return Step::kBack;
  if (NothingNew(known.content, now)) return Step::kSame;
  const RequestState before = known.content.state;
  if (before == now.state) {
    return now.reviews.size() > known.content.reviews.size() ? Step::kForward : Step::kUnsure;
  }
  if (before == RequestState::kPending) return Step::kForward;
  if (now.state == RequestState::kPending && IsResolved(before)) return Step::kBack;
  if (before == RequestState::kDenied && now.state == RequestState::kApproved) return Step::kBack;
  return before == RequestState::kApproved && now.state == RequestState::kDenied ? Step::kForward
                                                                                 : Step::kUnsure;
}

EventType TypeOfResolution(RequestState state) {
  switch (state) {
    case RequestState::kApproved:
      return EventType::kApproved;
    case RequestState::kDenied:
      return EventType::kDenied;
    case RequestState::kPromoted:
      return EventType::kPromoted;
    case RequestState::kNone:
    case RequestState::kPending:
      break;
  }
  return EventType::kUpdated;
}

EventType TypeOfChange(const std::optional<KnownRequest>& known, const AccessRequest& now) {
  if (!known || !known->content_known) {
    return now.state == RequestState::kPending ? EventType::kCreated : TypeOfResolution(now.state);
  }
  if (known->content.state != now.state) return TypeOfResolution(now.state);
  return now.reviews.size() > known->content.reviews.size() ? EventType::kReviewed : EventType::kUpdated;
}

}  // namespace

void Reconciler::SetCluster(const ClusterInfo& info) {
  cluster_ = info.cluster;
  proxy_address_ = info.proxy_address;
}

void Reconciler::BeginList(bool first) {
  first_list_ = first;
  listed_.clear();
}

Status Reconciler::OnListed(const AccessRequest& request, const LookUp& look_up) {
  if (request.id.empty() || request.dry_run) return {};
  listed_.insert(request.id);
  return OnPut(request, first_list_ ? EventSource::kSnapshot : EventSource::kResync, look_up);
}

Result<std::vector<std::string>> Reconciler::Absent() {
  auto ids = book_.LiveIds();
  if (!ids) return ids.error();
  std::erase_if(*ids, [this](const std::string& id) { return listed_.contains(id); });
  return ids;
}

Status Reconciler::OnStream(const StreamChange& change, const LookUp& look_up) {
  const AccessRequest& request = change.request;
  if (change.kind == ChangeKind::kInit || request.id.empty() || request.dry_run) return {};
  if (change.kind == ChangeKind::kDelete) {
    listed_.erase(request.id);
    return OnGone(request.id, EventSource::kWatch);
  }
  if (listed_.erase(request.id) > 0) {
    // The list was read after the stream was opened, so either of the two may be the older one.
    const auto known = Known(request.id);
    if (!known) return known.error();
    if (*known && StepTo(**known, request) != Step::kSame) {
      const auto current = look_up(request.id);
      if (!current) return current.error();
      return *current ? OnPut(**current, EventSource::kWatch, look_up) : Status();
    }
  }
  return OnPut(request, EventSource::kWatch, look_up);
}

Status Reconciler::OnPut(const AccessRequest& request, EventSource source, const LookUp& look_up) {
  const auto known = Known(request.id);
  if (!known) return known.error();
  if (!*known) return Report(*known, request, source);
  const Step step = StepTo(**known, request);
  if (step == Step::kSame) return {};
  if (step == Step::kForward) return Report(*known, request, source);

  const auto current = look_up(request.id);
  if (!current) return current.error();
  if (!*current) {
    // Gone already, or about to be: its removal is reported by itself. But what the stream brought did
    // happen, and a role without `list` looks up in vain.
    const bool believed = step == Step::kUnsure && source == EventSource::kWatch;
    return believed ? Report(*known, request, source) : Status();
  }
  return StepTo(**known, **current) == Step::kSame ? Status() : Report(*known, **current, source);
}

Status Reconciler::OnGone(const std::string& id, EventSource source) {
  auto known = Known(id);
  if (!known) return known.error();
  KnownRequest record = known->value_or(KnownRequest());
  if (record.gone) return {};
  if (!*known) {
    record.content.id = id;
    record.content_known = false;
  }
  record.gone = true;
  const auto& expires = record.content.expires;
  const bool expired = record.content_known && expires && clock_.Now() >= *expires - kExpirySlack;
  auto event = MakeEvent(expired ? EventType::kExpired : EventType::kDeleted, record, source);
  if (!event) return event.error();
  event->id = GoneEventId(cluster_, id);
  record.seq = event->seq;
  if (record.content_known) record.reported_state = record.content.state;
  Append(std::move(record), std::move(*event));
  return {};
}

// What the first list says of a request is history when it is resolved; the policy says what of the rest is
// news. A first list that was cut short is begun again: what it recorded then is followed like anything else.
bool Reconciler::Silent(EventSource source, const AccessRequest& request) const {
  if (source != EventSource::kSnapshot || policy_ == SnapshotPolicy::kAll) return false;
  return policy_ == SnapshotPolicy::kNone || request.state != RequestState::kPending;
}

Status Reconciler::Report(const std::optional<KnownRequest>& known, const AccessRequest& now,
                          EventSource source) {
  if (source == EventSource::kSnapshot && known) source = EventSource::kResync;
  KnownRequest record = known.value_or(KnownRequest());
  const EventType type = TypeOfChange(known, now);
  record.content = now;
  record.content_known = true;
  record.gone = false;
  if (Silent(source, now)) {
    Append(std::move(record), std::nullopt);
    return {};
  }
  auto event = MakeEvent(type, record, source);
  if (!event) return event.error();
  event->id = type == EventType::kCreated ? CreatedEventId(cluster_, now.id) : ChangeEventId(cluster_, now);
  record.seq = event->seq;
  record.reported_state = now.state;
  Append(std::move(record), std::move(*event));
  return {};
}

Result<Event> Reconciler::MakeEvent(EventType type, const KnownRequest& known, EventSource source) {
  Event event;
  event.type = type;
  event.timestamp = clock_.Now();
  event.cluster = cluster_;
  event.source = source;
  event.seq = known.seq + 1;
  event.request = known.content;
  event.content_known = known.content_known;
  event.previous_state = known.reported_state;
  if (known.content_known) event.web_url = WebUrl(proxy_address_, known.content.id);
  if (decisions_ != nullptr && (type == EventType::kApproved || type == EventType::kDenied)) {
    auto note = decisions_->Find(known.content.id, known.content.state);
    if (!note) return note.error();
    event.decision = std::move(*note);
  }
  return event;
}

void Reconciler::Append(KnownRequest known, std::optional<Event> event) {
  fresh_[known.content.id] = known;
  changes_.push_back({std::move(known), std::move(event)});
}

Result<std::optional<KnownRequest>> Reconciler::Known(const std::string& id) {
  if (const auto found = fresh_.find(id); found != fresh_.end()) return std::optional(found->second);
  return book_.Find(id);
}

std::vector<Change> Reconciler::TakeChanges() {
  fresh_.clear();
  return std::exchange(changes_, {});
}

}  // namespace tw::access
