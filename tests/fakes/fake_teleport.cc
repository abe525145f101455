#include "fakes/fake_teleport.h"

#include <utility>

namespace tw::fakes {

using access::AccessRequest;
using access::ChangeKind;
using access::RequestState;
using access::StreamChange;

class FakeStream final : public access::EventStream {
 public:
  FakeStream(FakeTeleport& teleport, std::shared_ptr<FakeTeleport::StreamState> state)
      : teleport_(teleport), state_(std::move(state)) {}

  Result<std::vector<StreamChange>> Read(std::size_t most, std::chrono::milliseconds timeout) override {
    {
      std::lock_guard lock(teleport_.mutex_);
      if (state_->cancelled) return Error::Cancelled();
      if (!state_->queue.empty()) return Take(most);
      if (state_->end) return *state_->end;
    }
    teleport_.clock_.Advance(timeout);
    if (teleport_.on_idle_) teleport_.on_idle_();
    return std::vector<StreamChange>();
  }

  void Cancel() override {
    std::lock_guard lock(teleport_.mutex_);
    state_->cancelled = true;
  }

 private:
  std::vector<StreamChange> Take(std::size_t most) {
    std::vector<StreamChange> out;
    while (out.size() < most && !state_->queue.empty()) {
      out.push_back(std::move(state_->queue.front()));
      state_->queue.pop_front();
    }
    return out;
  }

  FakeTeleport& teleport_;
  std::shared_ptr<FakeTeleport::StreamState> state_;
};

void FakeTeleport::ChangeLocked(AccessRequest request) {
  request.revision = "rev-" + std::to_string(++revision_);
  requests_[request.id] = request;
  if (stream_ && !stream_->end) stream_->queue.push_back({ChangeKind::kPut, std::move(request)});
}

AccessRequest FakeTeleport::Create(const std::string& id, const std::string& user,
                                   std::vector<std::string> roles) {
  std::lock_guard lock(mutex_);
  AccessRequest request;
  request.id = id;
  request.user = user;
  request.roles = std::move(roles);
  request.state = RequestState::kPending;
  request.created = clock_.Now();
  request.expires = clock_.Now() + std::chrono::hours(1);
  ChangeLocked(request);
  return requests_[id];
}

void FakeTeleport::SetStateDirectly(const std::string& id, RequestState state, const std::string& reason) {
  std::lock_guard lock(mutex_);
  AccessRequest request = requests_.at(id);
  request.state = state;
  request.resolve_reason = reason;
  ChangeLocked(request);
}

void FakeTeleport::AddReview(const std::string& id, const std::string& author, RequestState state) {
  std::lock_guard lock(mutex_);
  AccessRequest request = requests_.at(id);
  access::Review review;
  review.author = author;
  review.state = state;
  review.created = clock_.Now();
  request.reviews.push_back(review);
  ChangeLocked(request);
}

void FakeTeleport::Touch(const std::string& id) {
  std::lock_guard lock(mutex_);
  ChangeLocked(requests_.at(id));
}

void FakeTeleport::Delete(const std::string& id) {
  std::lock_guard lock(mutex_);
  requests_.erase(id);
  AccessRequest gone;
  gone.id = id;
  if (stream_ && !stream_->end) stream_->queue.push_back({ChangeKind::kDelete, gone});
}

void FakeTeleport::Put(const AccessRequest& request, bool announce) {
  std::lock_guard lock(mutex_);
  requests_[request.id] = request;
  if (announce && stream_ && !stream_->end) stream_->queue.push_back({ChangeKind::kPut, request});
}

void FakeTeleport::Announce(StreamChange change) {
  std::lock_guard lock(mutex_);
  if (stream_ && !stream_->end) stream_->queue.push_back(std::move(change));
}

std::optional<AccessRequest> FakeTeleport::Find(const std::string& id) {
  std::lock_guard lock(mutex_);
  const auto found = requests_.find(id);
  return found == requests_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> FakeTeleport::Ids() {
  std::lock_guard lock(mutex_);
  std::vector<std::string> ids;
  for (const auto& [id, request] : requests_) ids.push_back(id);
  return ids;
}

void FakeTeleport::EndStream(Error error) {
  std::lock_guard lock(mutex_);
  if (stream_) stream_->end = std::move(error);
}

void FakeTeleport::FailNext(const std::string& call, Error error, int times) {
  std::lock_guard lock(mutex_);
  for (int i = 0; i < times; ++i) failures_[call].push_back(error);
}

void FakeTeleport::LoseAnswerOfNextSetState() {
  std::lock_guard lock(mutex_);
  lose_answer_ = true;
}

void FakeTeleport::OvertakeNextSetState() {
  std::lock_guard lock(mutex_);
  overtake_ = true;
}

void FakeTeleport::FreezeList() {
  std::lock_guard lock(mutex_);
  frozen_list_ = requests_;
}

int FakeTeleport::calls(const std::string& call) {
  std::lock_guard lock(mutex_);
  return calls_[call];
}

std::vector<access::StateChange> FakeTeleport::state_changes() {
  std::lock_guard lock(mutex_);
  return state_changes_;
}

std::optional<Error> FakeTeleport::Called(const std::string& call) {
  ++calls_[call];
  auto& queue = failures_[call];
  if (queue.empty()) return std::nullopt;
  Error error = std::move(queue.front());
  queue.pop_front();
  return error;
}

std::optional<Error> FakeTeleport::TakeTime(const std::string& call, const access::CallLimits& limits) {
  const auto found = slow_.find(call);
  if (found == slow_.end()) return std::nullopt;
  clock_.Advance(std::min<Duration>(found->second, limits.timeout));
  if (found->second <= limits.timeout) return std::nullopt;
  return Error{ErrorKind::kTimeout, "no answer in time", {}, true};
}

Result<access::ClusterInfo> FakeTeleport::Ping(const access::CallLimits&) {
  std::lock_guard lock(mutex_);
  if (auto error = Called("Ping")) return *error;
  return info;
}

Result<std::unique_ptr<access::EventStream>> FakeTeleport::Watch(std::stop_token) {
  std::lock_guard lock(mutex_);
  if (auto error = Called("Watch")) return *error;
  stream_ = std::make_shared<StreamState>();
  if (!late_init_) stream_->queue.push_back({ChangeKind::kInit, {}});
  return std::unique_ptr<access::EventStream>(std::make_unique<FakeStream>(*this, stream_));
}

Status FakeTeleport::List(const access::ListFilter& filter, const PageVisitor& page,
                          const access::CallLimits&) {
  std::vector<std::vector<AccessRequest>> pages(1);
  std::function<void()> during;
  {
    std::lock_guard lock(mutex_);
    if (auto error = Called("List")) return *error;
    for (const auto& [id, request] : frozen_list_ ? *frozen_list_ : requests_) {
      if (hidden_.contains(id) || (!filter.user.empty() && request.user != filter.user)) continue;
      if (filter.state != RequestState::kNone && request.state != filter.state) continue;
      if (pages.back().size() == 3) pages.emplace_back();
      pages.back().push_back(request);
    }
    during = std::exchange(during_list_, nullptr);
  }
  if (during) during();
  for (auto& one : pages) {
    if (const Status seen = page(std::move(one)); !seen) return seen;
  }
  return {};
}

Result<std::optional<AccessRequest>> FakeTeleport::Get(const std::string& id,
                                                       const access::CallLimits& limits) {
  std::lock_guard lock(mutex_);
  if (auto error = Called("Get")) return *error;
  if (auto late = TakeTime("Get", limits)) return *late;
  if (on_get_) on_get_();
  return Find(id);
}

Status FakeTeleport::SetState(const access::StateChange& change, const access::CallLimits& limits) {
  std::lock_guard lock(mutex_);
  if (auto error = Called("SetState")) return *error;
  if (auto late = TakeTime("SetState", limits)) return *late;
  const auto found = requests_.find(change.id);
  if (found == requests_.end()) return Error{ErrorKind::kNotFound, "not found", {}, false};
  if (found->second.state == RequestState::kDenied && change.state == RequestState::kApproved) {
    return Error{ErrorKind::kConflict, "already denied", {}, false};
  }
  const bool overtaken = std::exchange(overtake_, false);
  if (!overtaken) state_changes_.push_back(change);
  AccessRequest request = found->second;
  request.state = change.state;
  request.resolve_reason = change.reason;
  ChangeLocked(request);
  if (overtaken) return Error{ErrorKind::kConflict, "others wrote at the same time", {}, true};
  if (std::exchange(lose_answer_, false)) return Error{ErrorKind::kUnreachable, "connection lost", {}, true};
  return {};
}

Result<AccessRequest> FakeTeleport::SubmitReview(const access::ReviewSubmission& review,
                                                 const access::CallLimits&) {
  std::lock_guard lock(mutex_);
  if (auto error = Called("SubmitReview")) return *error;
  AddReview(review.id, info.user, review.state);
  return requests_.at(review.id);
}

Result<std::optional<access::OwnRights>> FakeTeleport::Rights(const access::CallLimits&) {
  std::lock_guard lock(mutex_);
  if (auto error = Called("Rights")) return *error;
  return rights;
}

}  // namespace tw::fakes
