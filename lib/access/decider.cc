#include "access/decider.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/text.h"

namespace tw::access {
namespace {

using std::chrono::milliseconds;

Error NotFound(const std::string& id) {
  return {ErrorKind::kNotFound, fmt::format("no access request {}", EscapeControls(id)),
          "it is unknown, gone, or the plugin's role may not list it", false};
}

Error AlreadyResolved(const AccessRequest& request) {
  return {ErrorKind::kConflict,
          fmt::format("access request {} is already {}", EscapeControls(request.id),
                      AsciiLower(StateName(request.state))),
          "only a pending request can be decided", false};
}

// What to answer without asking Teleport to change anything; nullopt when the request is pending.
std::optional<Result<DecisionOutcome>> Settled(const AccessRequest& request, RequestState wanted) {
  if (request.state == RequestState::kPending) return std::nullopt;
  if (request.state == wanted) return DecisionOutcome{request.state, false};
  if (IsResolved(request.state)) return Result<DecisionOutcome>(AlreadyResolved(request));
  return Result<DecisionOutcome>(
      Error{ErrorKind::kConflict,
            fmt::format("access request {} is in a state this version does not know ({})",
                        EscapeControls(request.id), StateName(request.state)),
            "upgrade teleport-webhooks", false});
}

const Review* ReviewBy(const AccessRequest& request, const std::string& user) {
  const auto found = std::find_if(request.reviews.begin(), request.reviews.end(),
                                  [&](const Review& r) { return r.author == user; });
  return found == request.reviews.end() ? nullptr : &*found;
}

// The answer when we have reviewed before: the same way is done already, unless it came to nothing because
// the request was decided the other way; the other way is a conflict.
std::optional<Result<DecisionOutcome>> Reviewed(const AccessRequest& request, const std::string& user,
                                                RequestState wanted) {
  const Review* ours = ReviewBy(request, user);
  if (ours == nullptr) return std::nullopt;
  if (ours->state == wanted)
    return Settled(request, wanted).value_or(DecisionOutcome{RequestState::kPending, false});
  return Result<DecisionOutcome>(
      Error{ErrorKind::kConflict,
            fmt::format("{} has already reviewed access request {} as {}", EscapeControls(user),
                        EscapeControls(request.id), AsciiLower(StateName(ours->state))),
            "Teleport takes one review of each user", false});
}

std::string ReviewReason(const Decision& decision) {
  if (decision.delegator.empty()) return decision.reason;
  return decision.reason.empty() ? decision.delegator : decision.delegator + ": " + decision.reason;
}

}  // namespace

// What is left of a decision's time for its next call.
class Decider::Allowance {
 public:
  Allowance(const Clock& clock, const CallLimits& limits)
      : clock_(clock), end_(clock.Steady() + limits.timeout), stop_(limits.stop) {}
  CallLimits Left() const { return {Until(end_), stop_}; }
  // A call that changes something leaves time to look up what came of it, should its answer not come.
  CallLimits LeftForChange() const {
    const milliseconds left = Until(end_);
    return {left - std::min(left / 4, kLookUpTime), stop_};
  }

 private:
  static constexpr milliseconds kLookUpTime{2'000};
  milliseconds Until(SteadyTime end) const {
    return std::max(std::chrono::duration_cast<milliseconds>(end - clock_.Steady()), milliseconds(0));
  }

  const Clock& clock_;
  const SteadyTime end_;
  const std::stop_token stop_;
};

// Waits until no other decision of the same request is under way.
class Decider::Turn {
 public:
  Turn(Decider& decider, const std::string& id, const CallLimits& limits) : decider_(decider), id_(id) {
    std::unique_lock lock(decider_.mutex_);
    taken_ = decider_.freed_.wait_for(lock, limits.stop, limits.timeout,
                                      [&] { return !decider_.busy_.contains(id_); });
    if (taken_) decider_.busy_.insert(id_);
  }
  ~Turn() {
    if (!taken_) return;
    {
      std::lock_guard lock(decider_.mutex_);
      decider_.busy_.erase(id_);
    }
    decider_.freed_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool taken() const { return taken_; }

 private:
  Decider& decider_;
  const std::string& id_;
  bool taken_ = false;
};

Result<DecisionOutcome> Decider::Decide(const Decision& decision, const CallLimits& limits) {
  if (decision.request_id.empty()) return Error::Usage("the id of the access request is empty");
  if (decision.state != RequestState::kApproved && decision.state != RequestState::kDenied) {
    return Error::Usage("a decision is to approve or to deny");
  }
  if (decision.mode == DecisionMode::kReview && (!decision.roles.empty() || !decision.annotations.empty())) {
    return Error::Usage("a review takes neither roles nor annotations",
                        "leave them out, or decide with mode = \"state\"");
  }
  const Allowance time(clock_, limits);
  const Turn turn(*this, decision.request_id, limits);
  if (!turn.taken()) {
    return limits.stop.stop_requested()
               ? Error::Cancelled()
               : Error{ErrorKind::kTimeout, "another decision of this access request is still under way",
                       "try again", true};
  }
  return decision.mode == DecisionMode::kState ? DecideByState(decision, time)
                                               : DecideByReview(decision, time);
}

Result<DecisionOutcome> Decider::DecideByState(const Decision& decision, const Allowance& time) {
  const auto found = api_.Get(decision.request_id, time.Left());
  if (!found) return found.error();
  if (!*found) return NotFound(decision.request_id);
  if (const auto settled = Settled(**found, decision.state)) return *settled;

  Remember(decision);
  const Status set = api_.SetState({decision.request_id, decision.state, decision.delegator, decision.reason,
                                    decision.roles, decision.annotations, decision.assume_start_time},
                                   time.LeftForChange());
  if (set) return DecisionOutcome{decision.state, true};
  if (set.error().retryable || set.error().kind == ErrorKind::kConflict)
    return AfterUnclearAnswer(decision, set.error(), time);
  Withdraw(decision);
  return set.error();
}

// The call may have had its effect although no answer came, or somebody else was faster: look before
// reporting.
Result<DecisionOutcome> Decider::AfterUnclearAnswer(const Decision& decision, const Error& error,
                                                    const Allowance& time) {
  const auto found = api_.Get(decision.request_id, time.Left());
  if (!found) return error;  // still unclear: the note stays, since the change may have happened
  const bool as_wanted = *found && (*found)->state == decision.state;
  const bool refused = error.kind == ErrorKind::kConflict;  // then somebody else did it
  if (as_wanted && !refused) return DecisionOutcome{decision.state, true};
  Withdraw(decision);
  if (as_wanted) return DecisionOutcome{decision.state, false};
  if (!*found) return NotFound(decision.request_id);
  if (IsResolved((*found)->state)) return AlreadyResolved(**found);
  return error;
}

Result<DecisionOutcome> Decider::DecideByReview(const Decision& decision, const Allowance& time) {
  const auto self = api_.Ping(time.Left());
  if (!self) return self.error();
  const auto found = api_.Get(decision.request_id, time.Left());
  if (!found) return found.error();
  if (!*found) return NotFound(decision.request_id);
  if (const auto reviewed = Reviewed(**found, self->user, decision.state)) return *reviewed;
  if (const auto settled = Settled(**found, decision.state)) return *settled;

  Remember(decision);
  const auto after = api_.SubmitReview(
      {decision.request_id, decision.state, ReviewReason(decision), decision.assume_start_time},
      time.LeftForChange());
  if (!after) return AfterRefusedReview(decision, self->user, after.error(), time);
  if (after->state == RequestState::kPending || after->state == decision.state)
    return DecisionOutcome{after->state, true};
  Withdraw(decision);
  return Error{ErrorKind::kConflict,
               fmt::format("the review had no effect: access request {} is {}",
                           EscapeControls(decision.request_id), AsciiLower(StateName(after->state))),
               "it was resolved before the review came", false};
}

// Teleport answers "permission denied" also for a review that comes too late or twice.
Result<DecisionOutcome> Decider::AfterRefusedReview(const Decision& decision, const std::string& user,
                                                    const Error& error, const Allowance& time) {
  const auto found = api_.Get(decision.request_id, time.Left());
  if (!found) return error;
  if (*found) {
    const Review* ours = ReviewBy(**found, user);
    if (ours != nullptr && ours->state == decision.state) return DecisionOutcome{(*found)->state, true};
  }
  Withdraw(decision);
  if (!*found) return NotFound(decision.request_id);
  if (const auto reviewed = Reviewed(**found, user, decision.state)) return *reviewed;
  if (const auto settled = Settled(**found, decision.state)) return *settled;
  return error;
}

// The note serves the event's `decision` field; deciding goes on without it.
void Decider::Remember(const Decision& decision) {
  if (book_ == nullptr) return;
  if (const Status status = book_->Remember(decision, clock_.Now()); !status) {
    log_.Warn("cannot note the decision",
              {{"request_id", decision.request_id}, {"error", status.error().message}});
  }
}

void Decider::Withdraw(const Decision& decision) {
  if (book_ == nullptr) return;
  if (const Status status = book_->Withdraw(decision.request_id, decision.state); !status) {
    log_.Warn("cannot withdraw the note of a decision",
              {{"request_id", decision.request_id}, {"error", status.error().message}});
  }
}

}  // namespace tw::access
