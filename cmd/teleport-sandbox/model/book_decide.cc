// The deciding half of the book: SetAccessRequestState, SubmitAccessReview, promotion.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/book.h"
#include "model/thresholds.h"

namespace tw::sandbox {
namespace {

constexpr std::chrono::hours kMaxAssumeStartDelay{7 * 24};

// Section 4.1, the table of transitions.
Answer<void> CheckTransition(State from, const StateChange& change) {
  if (from == State::kDenied && change.state != State::kDenied) {
    return BadArgument(
        fmt::format(R"(cannot set request-state "{}" (already denied))", StateName(change.state)));
  }
  if (from != State::kPending && change.state == State::kPending &&
      (!change.reason.empty() || !change.annotations.empty())) {
    return BadArgument("pending requests cannot include a resolve reason or annotations");
  }
  return {};
}

Answer<void> CheckSubset(const std::vector<std::string>& wanted, const std::vector<std::string>& asked) {
  for (const std::string& role : wanted) {
    if (!std::ranges::count(asked, role)) {
      return BadArgument(fmt::format(
          R"(role "{}" not in original request, overrides must be a subset of original role list)", role));
    }
  }
  return {};
}

Answer<void> CheckStart(const std::optional<SystemTime>& start, const Request& request) {
  if (!start) return {};
  if (*start < request.created)
    return BadArgument("assume start time cannot be before the request was created");
  if (*start >= request.access_expires)
    return BadArgument("assume start time must be before the access expires");
  if (*start > request.created + kMaxAssumeStartDelay) {
    return BadArgument("assume start time must be within 7 days of the request");
  }
  return {};
}

}  // namespace

Answer<void> Book::CheckDecider(const Caller& caller, const StateChange& change) const {
  if (caller.built_in_admin) return {};
  const std::optional<Rights> rights = users_.Find(caller.user);
  if (!rights || !rights->Allows("update")) return RuleDenied("update", "access_request");
  if (RefusesSelfDecision(release_)) {
    if (caller.active_requests) {
      return Denied("requests cannot be decided with a certificate that carries active access requests");
    }
    const RequestPtr request = Find(change.id);
    if (!request || !Visible(caller, rights, *request)) {
      return NotFound(fmt::format(R"(cannot set state of access request "{}" (not found))", change.id));
    }
    if (request->user == caller.user) {
      return Denied("directly updating the state of your own access requests is not permitted");
    }
  }
  return CheckAdminCall(caller);
}

Answer<void> Book::SetState(const Caller& caller, const StateChange& change) {
  if (auto ok = CheckDecider(caller, change); !ok) return ok;
  if (change.id.empty()) return BadArgument("missing request ID");
  if (change.state == State::kNone) return BadArgument("missing request state");
  if (change.state == State::kPromoted)
    return BadArgument("state promoted can be only set when promoting a request");
  if (!change.roles.empty() && change.state != State::kApproved) {
    return BadArgument(fmt::format("cannot override roles when setting state: {}", StateName(change.state)));
  }
  if (LimitsReasons(release_) && change.reason.size() > kMaxReasonBytes) {
    return BadArgument("resolve reason is too long, max 4096 bytes");
  }
  std::lock_guard lock(mutex_);
  const auto found = requests_.find(change.id);
  if (found == requests_.end()) {
    return NotFound(fmt::format(R"(cannot set state of access request "{}" (not found))", change.id));
  }
  if (auto ok = CheckTransition(found->second->state, change); !ok) return ok;
  if (auto ok = CheckSubset(change.roles, found->second->roles); !ok) return ok;
  if (HasAssumeStartTime(release_)) {
    if (auto ok = CheckStart(change.assume_start_time, *found->second); !ok) return ok;
  }
  Request request = *found->second;
  request.state = change.state;
  request.resolve_reason = change.reason;
  request.resolve_annotations = change.annotations;
  if (!change.roles.empty()) request.roles = change.roles;
  if (HasAssumeStartTime(release_) && change.assume_start_time) {
    request.assume_start_time = change.assume_start_time;
  }
  if (change.state == State::kApproved) request.expires = request.access_expires;
  delegators_[change.id] = change.delegator;
  StoreLocked(std::move(request), false);
  return {};
}

Answer<void> Book::CheckReviewer(const Caller& caller, const std::string& author) const {
  if (caller.built_in_admin) return {};
  if (author != caller.user) {
    return Denied(fmt::format(R"(user "{}" cannot submit reviews on behalf of "{}")", caller.user, author));
  }
  const std::optional<Rights> rights = users_.Find(caller.user);
  if (!rights || rights->review_roles.empty()) {
    return Denied(fmt::format(R"(user "{}" cannot submit reviews)", caller.user));
  }
  return CheckAdminCall(caller);
}

Answer<void> Book::CheckReview(const ReviewSubmission& submission, const Request& request) const {
  const std::string& author = submission.review.author;
  const std::optional<Rights> rights = users_.Find(author);
  // Authors that only the operator of the sandbox names ("carol") have no rules to check.
  if (author == request.user || (rights && !rights->MayReview(request.roles))) {
    return Denied(fmt::format(R"(user "{}" cannot review request "{}")", author, submission.id));
  }
  if (submission.review.proposed != State::kApproved && submission.review.proposed != State::kDenied) {
    return BadArgument(
        fmt::format("a review must approve or deny, not {}", StateName(submission.review.proposed)));
  }
  if (request.thresholds.empty()) return BadArgument("request has no review thresholds");
  for (const Review& earlier : request.reviews) {
    if (earlier.author == author) {
      return Denied(fmt::format(R"(user "{}" has already reviewed this request)", author));
    }
  }
  if (!submission.roles.empty() && submission.roles.size() < request.roles.size()) {
    return Refuse(Code::kUnimplemented, "role subselection is not supported in reviews, leave the roles out");
  }
  if (submission.has_annotations) {
    return Refuse(Code::kUnimplemented, "annotations are not supported in reviews, leave them out");
  }
  if (request.state != State::kPending && RefusesLateReviews(release_)) {
    return Denied(
        fmt::format("the access request has been already {}", AsciiLower(StateName(request.state))));
  }
  return {};
}

Answer<RequestPtr> Book::SubmitReview(const Caller& caller, const ReviewSubmission& wanted) {
  ReviewSubmission submission = wanted;
  Review& review = submission.review;
  if (HasPromotion(release_) && review.proposed == State::kPromoted) {
    return BadArgument("a review cannot promote an access request");
  }
  if (review.author.empty()) review.author = caller.user;
  if (auto ok = CheckReviewer(caller, review.author); !ok) return Refused(ok.error());

  std::lock_guard lock(mutex_);
  const auto found = requests_.find(submission.id);
  if (found == requests_.end()) {
    return NotFound(fmt::format(R"(cannot apply review to access request "{}" (not found))", submission.id));
  }
  if (auto ok = CheckReview(submission, *found->second); !ok) return Refused(ok.error());

  Request request = *found->second;
  if (!review.created && AtLeast(release_, 12)) review.created = clock_.Now();
  for (std::uint32_t i = 0; i < request.thresholds.size(); ++i) review.threshold_indexes.push_back(i);
  if (HasAssumeStartTime(release_) && review.assume_start_time) {
    if (auto ok = CheckStart(review.assume_start_time, request); !ok) return Refused(ok.error());
    request.assume_start_time = review.assume_start_time;
  }
  request.reviews.push_back(review);
  if (const auto resolution = CountReviews(request); resolution && request.state == State::kPending) {
    request.state = resolution->state;
    request.resolve_reason = resolution->reason;
    request.expires = request.access_expires;
  }
  StoreLocked(std::move(request), false);
  return requests_.at(submission.id);
}

Answer<void> Book::Promote(const std::string& id, AccessList list, const std::string& reason) {
  if (!HasPromotion(release_)) return BadArgument("this release knows no promotion");
  std::lock_guard lock(mutex_);
  const auto found = requests_.find(id);
  if (found == requests_.end()) return NotFound(fmt::format(R"(access request "{}" not found)", id));
  if (found->second->state != State::kPending) return BadArgument("only a pending request can be promoted");
  Request request = *found->second;
  request.state = State::kPromoted;
  request.resolve_reason = reason;
  request.access_list = std::move(list);
  request.expires = request.access_expires;
  StoreLocked(std::move(request), false);
  return {};
}

}  // namespace tw::sandbox
