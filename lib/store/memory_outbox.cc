#include "store/memory_outbox.h"

#include <algorithm>

#include "store/attempt_rules.h"

namespace tw::store {

void MemoryOutbox::Enter(const Row& row) {
  if (row.head) ready_[row.waiting][row.delivery.endpoint].emplace(row.delivery.due, row.delivery.id);
}

void MemoryOutbox::Leave(const Row& row) {
  if (row.head) ready_[row.waiting][row.delivery.endpoint].erase({row.delivery.due, row.delivery.id});
}

void MemoryOutbox::SetHead(std::int64_t id, bool head) {
  Row& row = rows_.at(id);
  Leave(row);
  row.head = head;
  row.waiting = head && IsBackedOff(row.delivery);
  Enter(row);
}

Delivery MemoryOutbox::Make(const Commitment& commitment, const std::string& endpoint,
                            const std::string& json) {
  const access::Event& event = *commitment.change.event;
  Delivery delivery;
  delivery.id = ++last_id_;
  delivery.endpoint = endpoint;
  delivery.event_id = event.id;
  delivery.request_id = commitment.change.known.content.id;
  delivery.event_json = json;
  delivery.created = event.timestamp;
  delivery.due = event.timestamp;
  return delivery;
}

const Delivery& MemoryOutbox::Add(const Commitment& commitment, const std::string& endpoint,
                                  const std::string& json) {
  Row row;
  row.delivery = Make(commitment, endpoint, json);
  auto& chain = pending_[ChainOf(row.delivery)];
  row.head = chain.empty();
  chain.insert(last_id_);
  Enter(row);
  return rows_.emplace(last_id_, std::move(row)).first->second.delivery;
}

void MemoryOutbox::AddDead(const Commitment& commitment, const std::string& endpoint, const std::string& json,
                           const std::string& reason) {
  Row row;
  row.delivery = Make(commitment, endpoint, json);
  row.delivery.status = DeliveryStatus::kDead;
  row.delivery.last_error = reason;
  row.delivery.finished = row.delivery.created;
  rows_.emplace(last_id_, std::move(row));
}

bool MemoryOutbox::Lease(std::int64_t id, SystemTime now, const std::string& owner, SystemTime until) {
  const auto held = leases_.find(id);
  if (held != leases_.end() && held->second.until > now) return false;
  leases_[id] = {owner, until};
  return true;
}

std::vector<Delivery> MemoryOutbox::Claim(const std::string& endpoint, SystemTime now, std::size_t limit,
                                          const std::string& owner, SystemTime until) {
  std::vector<Place> places;
  for (const bool waiting : {false, true}) {
    std::size_t found = 0;
    for (const Place& place : ready_[waiting][endpoint]) {
      const auto& [due, id] = place;
      if (found == limit || (waiting && due > now)) break;
      const auto held = leases_.find(id);
      if (held != leases_.end() && held->second.until > now) continue;
      places.push_back(place);
      ++found;
    }
  }
  std::sort(places.begin(), places.end());
  if (places.size() > limit) places.resize(limit);
  std::vector<Delivery> claimed;
  for (const auto& [due, id] : places) {
    leases_[id] = {owner, until};
    claimed.push_back(rows_.at(id).delivery);
  }
  return claimed;
}

void MemoryOutbox::Finish(const AttemptRecord& record) {
  const auto found = rows_.find(record.delivery_id);
  if (found == rows_.end()) return;
  Row& row = found->second;
  Leave(row);
  const bool was_head = row.head;
  ApplyAttempt(row.delivery, record);
  if (record.counted) {
    row.attempts.push_back(record);
    row.attempts.back().held_total = {};
    if (row.attempts.size() > kAttemptsKept) row.attempts.pop_front();
  }
  leases_.erase(record.delivery_id);
  const bool pending = row.delivery.status == DeliveryStatus::kPending;
  row.head = was_head && pending;
  row.waiting = row.head && IsBackedOff(row.delivery);
  Enter(row);
  const Chain chain = ChainOf(row.delivery);
  if (pending) {
    pending_[chain].insert(record.delivery_id);
    Reorder(chain);
    return;
  }
  auto& waiting = pending_[chain];
  waiting.erase(record.delivery_id);
  if (was_head && !waiting.empty()) SetHead(*waiting.begin(), true);
  if (waiting.empty()) pending_.erase(chain);
}

void MemoryOutbox::Reorder(const Chain& chain) {
  const auto& ids = pending_[chain];
  const std::int64_t first = *ids.begin();
  const auto head = std::find_if(ids.begin(), ids.end(), [this](auto id) { return rows_.at(id).head; });
  if (head != ids.end()) {
    if (*head == first || leases_.contains(*head)) return;
    SetHead(*head, false);
  }
  SetHead(first, true);
}

void MemoryOutbox::Release(const std::string& owner) {
  std::erase_if(leases_, [&](const auto& entry) { return entry.second.owner == owner; });
}

std::optional<SystemTime> MemoryOutbox::NextDue(const std::string& endpoint) const {
  std::optional<SystemTime> next;
  const auto consider = [&](SystemTime time) { next = next ? std::min(*next, time) : time; };
  for (const Ready& ready : ready_) {
    const auto places = ready.find(endpoint);
    if (places == ready.end()) continue;
    for (const auto& [due, id] : places->second) {
      if (leases_.contains(id)) continue;
      consider(due);
      break;
    }
  }
  for (const auto& [id, held] : leases_) {
    const auto row = rows_.find(id);
    if (row == rows_.end() || !row->second.head || row->second.delivery.endpoint != endpoint) continue;
    consider(row->second.waiting ? std::max(held.until, row->second.delivery.due) : held.until);
  }
  return next;
}

void MemoryOutbox::MakeAllDue(const std::string& endpoint) {
  for (const auto& [due, id] : std::set<Place>(ready_[1][endpoint])) {
    Row& row = rows_.at(id);
    Leave(row);
    row.waiting = false;
    row.delivery.due = row.delivery.created;
    Enter(row);
  }
}

const Delivery* MemoryOutbox::Look(std::int64_t id) const {
  const auto found = rows_.find(id);
  return found == rows_.end() ? nullptr : &found->second.delivery;
}

std::vector<Delivery> MemoryOutbox::Select(const DeliveryQuery& query) const {
  std::vector<Delivery> found;
  for (auto it = rows_.upper_bound(query.after_id); it != rows_.end() && found.size() < query.limit; ++it) {
    const Delivery& delivery = it->second.delivery;
    if (query.status && delivery.status != *query.status) continue;
    if (!query.endpoint.empty() && delivery.endpoint != query.endpoint) continue;
    if (!query.request_id.empty() && delivery.request_id != query.request_id) continue;
    if (query.delivery_id && delivery.id != *query.delivery_id) continue;
    if (query.since && delivery.created < *query.since) continue;
    found.push_back(delivery);
  }
  return found;
}

std::vector<AttemptRecord> MemoryOutbox::Attempts(std::int64_t id) const {
  const auto found = rows_.find(id);
  if (found == rows_.end()) return {};
  return {found->second.attempts.begin(), found->second.attempts.end()};
}

bool MemoryOutbox::Superseded(std::int64_t id) const {
  const Delivery* delivery = Look(id);
  if (delivery == nullptr) return false;
  return std::any_of(rows_.upper_bound(id), rows_.end(), [&](const auto& entry) {
    const Delivery& other = entry.second.delivery;
    return other.status == DeliveryStatus::kDelivered && ChainOf(other) == ChainOf(*delivery);
  });
}

bool MemoryOutbox::Remove(std::int64_t id) {
  const auto found = rows_.find(id);
  if (found == rows_.end()) return false;
  Leave(found->second);
  const bool was_head = found->second.head;
  const Chain chain = ChainOf(found->second.delivery);
  rows_.erase(found);
  leases_.erase(id);
  if (const auto waiting = pending_.find(chain); waiting != pending_.end()) {
    waiting->second.erase(id);
    if (was_head && !waiting->second.empty()) SetHead(*waiting->second.begin(), true);
    if (waiting->second.empty()) pending_.erase(waiting);
  }
  return true;
}

void MemoryOutbox::Count(std::map<std::string, QueueSummary>& summaries) const {
  for (const auto& [id, row] : rows_) {
    QueueSummary& summary = summaries[row.delivery.endpoint];
    if (row.delivery.status == DeliveryStatus::kDelivered) ++summary.delivered;
    if (row.delivery.status == DeliveryStatus::kDead) ++summary.dead;
    if (row.delivery.status != DeliveryStatus::kPending) continue;
    ++summary.pending;
    const SystemTime created = row.delivery.created;
    summary.oldest_pending = std::min(summary.oldest_pending.value_or(created), created);
  }
}

std::vector<std::int64_t> MemoryOutbox::FinishedBefore(SystemTime horizon) const {
  std::vector<std::int64_t> ids;
  for (const auto& [id, row] : rows_) {
    if (row.delivery.finished && *row.delivery.finished < horizon) ids.push_back(id);
  }
  return ids;
}

std::vector<std::int64_t> MemoryOutbox::FreePendingBefore(const std::string& endpoint,
                                                          SystemTime horizon) const {
  std::vector<std::int64_t> ids;
  for (const auto& [id, row] : rows_) {
    if (row.head && row.delivery.endpoint == endpoint && row.delivery.created < horizon &&
        !leases_.contains(id)) {
      ids.push_back(id);
    }
  }
  return ids;
}

bool MemoryOutbox::Needs(const std::string& event_id) const {
  return std::any_of(rows_.begin(), rows_.end(),
                     [&](const auto& entry) { return entry.second.delivery.event_id == event_id; });
}

}  // namespace tw::store
