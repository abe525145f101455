#include "model/book.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "model/ids.h"
#include "model/thresholds.h"

namespace tw::sandbox {
namespace {

// Section 2.4: 30 hours is the session length that roles grant by default.
constexpr std::chrono::hours kDefaultAccess{30};
constexpr std::chrono::minutes kClientTolerance{1};

}  // namespace

Book::Book(Release release, Clock& clock, Random& random, UserDirectory& users, Observer observer)
    : release_(release), clock_(clock), random_(random), users_(users), observer_(std::move(observer)) {}

Answer<void> Book::CheckRequester(const Caller& caller, const NewRequest& wanted) const {
  if (wanted.user.empty()) return BadArgument("access request user name not set");
  if (wanted.roles.empty() && wanted.resources.empty())
    return BadArgument("at least one role must be specified");
  if (wanted.state != State::kPending) return BadArgument("a new access request must be pending");
  if (LimitsReasons(release_) && wanted.reason.size() > kMaxReasonBytes) {
    return BadArgument("access request reason is too long, max 4096 bytes");
  }
  if (caller.built_in_admin) return {};
  const std::optional<Rights> own = users_.Find(caller.user);
  if (caller.user != wanted.user && !(own && own->Allows("create"))) {
    return RuleDenied("create", "access_request");
  }
  const std::optional<Rights> rights = users_.Find(wanted.user);
  for (const std::string& role : wanted.roles) {
    if (!rights || !std::ranges::count(rights->requestable, role)) {
      return BadArgument(fmt::format(R"(user "{}" can not request role "{}")", wanted.user, role));
    }
  }
  return {};
}

Answer<Request> Book::MakeLocked(const Caller& caller, NewRequest& wanted) const {
  Request request;
  const SystemTime now = clock_.Now();
  const bool keeps_id = !wanted.id.empty() && (caller.built_in_admin || !MakesIds(release_));
  request.id = keeps_id ? wanted.id : AtLeast(release_, 16) ? MakeUuid7(random_, now) : MakeUuid4(random_);
  if (requests_.contains(request.id)) {
    return Refuse(Code::kAlreadyExists, fmt::format(R"(access request "{}" already exists)", request.id));
  }
  request.user = std::move(wanted.user);
  request.roles = std::move(wanted.roles);
  if (request.roles.empty()) request.roles = {"dba"};  // a resource request: the server fills the role in
  std::ranges::sort(request.roles);
  request.roles.erase(std::unique(request.roles.begin(), request.roles.end()), request.roles.end());
  request.request_reason = std::move(wanted.reason);
  if (HasResources(release_)) request.resources = std::move(wanted.resources);
  request.suggested_reviewers = std::move(wanted.suggested_reviewers);
  request.system_annotations = std::move(wanted.system_annotations);
  request.login_hint = std::move(wanted.login_hint);
  request.kind = wanted.kind;
  request.dry_run = wanted.dry_run;
  request.created = now;
  request.access_expires = wanted.access_expires.value_or(now + kDefaultAccess);
  if (HasMaxDuration(release_)) {
    // No access outlasts what was asked for; once made, a request names the same moment twice (section 2.4).
    if (wanted.max_duration) request.access_expires = std::min(request.access_expires, *wanted.max_duration);
    request.max_duration = request.access_expires;
    request.session_ttl = wanted.session_ttl;
  }
  request.expires = wanted.life ? now + *wanted.life
                                : std::min<SystemTime>(now + PendingLife(release_), request.access_expires);
  if (HasAssumeStartTime(release_)) request.assume_start_time = wanted.assume_start_time;
  SetThresholds(request, std::move(wanted.thresholds));
  return request;
}

Answer<RequestPtr> Book::Create(const Caller& caller, NewRequest wanted) {
  if (auto ok = CheckRequester(caller, wanted); !ok) return Refused(ok.error());
  std::lock_guard lock(mutex_);
  Answer<Request> made = MakeLocked(caller, wanted);
  if (!made) return Refused(made.error());
  if (made->dry_run) return std::make_shared<const Request>(*std::move(made));
  const std::string id = made->id;
  StoreLocked(*std::move(made), true);
  return requests_.at(id);
}

Answer<void> Book::Delete(const Caller& caller, const std::string& id) {
  if (!caller.built_in_admin) {
    const std::optional<Rights> rights = users_.Find(caller.user);
    if (!rights || !rights->Allows("delete")) return RuleDenied("delete", "access_request");
    if (auto ok = CheckAdminCall(caller); !ok) return ok;
  }
  std::lock_guard lock(mutex_);
  if (!requests_.contains(id)) {
    return NotFound(fmt::format(R"(cannot delete access request "{}" (not found))", id));
  }
  RemoveLocked(id);
  return {};
}

Answer<void> Book::CheckAdminCall(const Caller& caller) const {
  std::lock_guard lock(mutex_);
  if (mfa_ && !caller.mfa_exempt) return Denied("admin-level API request requires MFA verification");
  return {};
}

Answer<void> Book::Touch(const std::string& id) {
  std::lock_guard lock(mutex_);
  const auto found = requests_.find(id);
  if (found == requests_.end()) return NotFound(fmt::format(R"(access request "{}" not found)", id));
  StoreLocked(*found->second, false);
  return {};
}

Answer<void> Book::Expire(const std::string& id) {
  std::lock_guard lock(mutex_);
  const auto found = requests_.find(id);
  if (found == requests_.end()) return NotFound(fmt::format(R"(access request "{}" not found)", id));
  const SystemTime now = clock_.Now();
  if (found->second->expires > now + kClientTolerance) {
    Request ended = *found->second;
    ended.expires = now;
    StoreLocked(std::move(ended), false);
  }
  RemoveLocked(id);
  return {};
}

void Book::RemoveExpired() {
  std::lock_guard lock(mutex_);
  const SystemTime now = clock_.Now();
  std::vector<std::string> gone;
  for (const auto& [id, request] : requests_) {
    const auto grace = request->state == State::kPending ? ExpiryGrace(release_) : std::chrono::seconds(0);
    if (request->expires + grace <= now) gone.push_back(id);
  }
  for (const std::string& id : gone) RemoveLocked(id);
}

RequestPtr Book::Find(const std::string& id) const {
  std::lock_guard lock(mutex_);
  const auto found = requests_.find(id);
  return found == requests_.end() ? nullptr : found->second;
}

std::size_t Book::size() const {
  std::lock_guard lock(mutex_);
  return requests_.size();
}

std::optional<std::string> Book::LastDelegator(const std::string& id) const {
  std::lock_guard lock(mutex_);
  const auto found = delegators_.find(id);
  if (found == delegators_.end()) return std::nullopt;
  return found->second;
}

void Book::RequireMfa(bool required) {
  std::lock_guard lock(mutex_);
  mfa_ = required;
}

void Book::StoreLocked(Request request, bool created) {
  // Nanoseconds of the write, made unique: what the SQLite backend of old releases used.
  const auto nanos =
      std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.Now().time_since_epoch()).count();
  last_metadata_id_ = std::max<std::int64_t>(last_metadata_id_ + 1, nanos);
  if (HasMetadataId(release_)) request.metadata_id = last_metadata_id_;
  if (HasRevision(release_)) request.revision = MakeUuid4(random_);
  const std::string id = request.id;
  RequestPtr stored = std::make_shared<const Request>(std::move(request));
  requests_[id] = stored;
  AnnounceLocked({ChangeKind::kPut, created, id, std::move(stored)});
}

void Book::RemoveLocked(const std::string& id) {
  requests_.erase(id);
  delegators_.erase(id);
  AnnounceLocked({ChangeKind::kDelete, false, id, nullptr});
}

void Book::AnnounceLocked(Change change) {
  if (list_lag_.count() > 0) {
    late_changes_.push_back({clock_.Steady() + list_lag_, change});
    ListViewLocked();  // what is due leaves the queue even when nobody lists
  }
  observer_(change);
}

}  // namespace tw::sandbox
