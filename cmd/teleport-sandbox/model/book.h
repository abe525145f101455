// Book: all access requests in memory and the rules by which they change. Every change is told to the
// observer, in order, while the book is locked. Facts: reference page section 4. All members: any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "model/refusal.h"
#include "model/release.h"
#include "model/request.h"
#include "model/rights.h"

namespace tw::sandbox {

// Reasons and resolve reasons may not be longer where the release limits them (section 2.4).
inline constexpr std::size_t kMaxReasonBytes = 4096;

// Who asks. `built_in_admin` stands for tctl on the auth host (and the sandbox's own command line): no rule
// binds it but those of the request itself.
struct Caller {
  std::string user{};
  bool active_requests = false;  // the certificate carries access requests (section 4.1)
  bool mfa_exempt = false;       // bot or signed on the auth host (section 5.9)
  bool built_in_admin = false;
};

enum class ChangeKind { kPut, kDelete };

struct Change {
  ChangeKind kind = ChangeKind::kPut;
  bool created = false;  // a PUT for a request that was not there before
  std::string id;
  RequestPtr request;  // null for kDelete
};

struct NewRequest {
  std::string id;  // taken as given by releases before 14, and from the built-in admin
  std::string user;
  std::vector<std::string> roles;
  std::string reason;
  std::vector<Resource> resources;
  std::vector<std::string> suggested_reviewers;
  std::vector<Threshold> thresholds;  // from the requester's roles; empty: one approval or denial decides
  Annotations system_annotations;
  State state = State::kPending;
  std::string login_hint;
  std::int32_t kind = 0;
  bool dry_run = false;
  std::optional<SystemTime> access_expires;
  std::optional<SystemTime> max_duration;
  std::optional<SystemTime> session_ttl;
  std::optional<SystemTime> assume_start_time;
  std::optional<std::chrono::milliseconds> life;  // of the pending request
};

struct StateChange {
  std::string id;
  State state = State::kNone;
  std::string reason;
  std::string delegator;  // goes to the audit log only; the sandbox keeps the last one for `show`
  Annotations annotations;
  std::vector<std::string> roles;
  std::optional<SystemTime> assume_start_time;
};

struct ReviewSubmission {
  std::string id;
  Review review;
  std::vector<std::string> roles;
  bool has_annotations = false;
};

enum class Scope { kAll = 0, kMine = 1, kNeedsReview = 2, kReviewed = 3 };
enum class Sort { kId = 0, kCreated = 1, kState = 2, kUser = 3 };

struct ListQuery {
  std::string id{};
  std::string user{};
  State state = State::kNone;
  std::vector<std::string> search{};
  Scope scope = Scope::kAll;
  Sort sort = Sort::kId;
  bool descending = false;
  std::size_t limit = 0;  // 0: everything
  std::string start_key{};
};

struct Page {
  std::vector<RequestPtr> requests;
  std::string next_key;  // empty on the last page
};

class Book {
 public:
  using Observer = std::function<void(const Change&)>;

  // Borrows clock, random and users for its life. `observer` must not call back into the book.
  Book(Release release, Clock& clock, Random& random, UserDirectory& users, Observer observer);

  Answer<RequestPtr> Create(const Caller& caller, NewRequest wanted);
  Answer<void> Delete(const Caller& caller, const std::string& id);
  Answer<void> SetState(const Caller& caller, const StateChange& change);
  Answer<RequestPtr> SubmitReview(const Caller& caller, const ReviewSubmission& submission);
  Answer<Page> List(const Caller& caller, const ListQuery& query);

  // For the operator of the sandbox. Errors: NOT_FOUND, or INVALID_ARGUMENT where the release has no such
  // thing.
  Answer<void> Promote(const std::string& id, AccessList list, const std::string& reason);
  Answer<void> Touch(const std::string& id);  // a write that changes nothing but the revision
  // The request's life ends now. One that should have lived longer by more than a minute is first written
  // with the new end, so that watchers can tell expiry from deletion.
  Answer<void> Expire(const std::string& id);
  void RemoveExpired();
  RequestPtr Find(const std::string& id) const;  // null: not there
  std::size_t size() const;
  std::optional<std::string> LastDelegator(const std::string& id) const;

  // Lists (but not look-ups by id) show what was true this long ago. Zero: no lag.
  void SetListLag(std::chrono::milliseconds lag);
  // Administrative calls are refused for want of MFA.
  void RequireMfa(bool required);

 private:
  using Requests = std::map<std::string, RequestPtr>;
  struct LateChange {
    SteadyTime when;
    Change change;
  };

  void StoreLocked(Request request, bool created);
  void RemoveLocked(const std::string& id);
  void AnnounceLocked(Change change);
  Answer<Request> MakeLocked(const Caller& caller, NewRequest& wanted) const;
  Answer<void> CheckRequester(const Caller& caller, const NewRequest& wanted) const;
  Answer<void> CheckAdminCall(const Caller& caller) const;
  Answer<void> CheckDecider(const Caller& caller, const StateChange& change) const;
  Answer<void> CheckReviewer(const Caller& caller, const std::string& author) const;
  Answer<void> CheckReview(const ReviewSubmission& submission, const Request& request) const;
  const Requests& ListViewLocked();
  bool Visible(const Caller& caller, const std::optional<Rights>& rights, const Request& request) const;

  const Release release_;
  Clock& clock_;
  Random& random_;
  UserDirectory& users_;
  const Observer observer_;

  mutable std::mutex mutex_;
  Requests requests_;
  std::map<std::string, std::string> delegators_;
  std::int64_t last_metadata_id_ = 0;
  bool mfa_ = false;
  std::chrono::milliseconds list_lag_{0};
  Requests late_view_;  // what lists show while they lag
  std::deque<LateChange> late_changes_;
};

}  // namespace tw::sandbox
