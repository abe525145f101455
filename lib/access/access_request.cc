#include "access/access_request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "base/text.h"

namespace tw::access {
namespace {

constexpr std::array<std::string_view, 5> kStateNames = {"NONE", "PENDING", "APPROVED", "DENIED", "PROMOTED"};

// Events carry milliseconds, so a record read back from one must compare equal to what Teleport sent.
bool SameTime(const std::optional<SystemTime>& a, const std::optional<SystemTime>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  using std::chrono::milliseconds;
  return std::chrono::floor<milliseconds>(*a) == std::chrono::floor<milliseconds>(*b);
}

bool SameReview(const Review& a, const Review& b) {
  return a.author == b.author && a.state == b.state && a.reason == b.reason && a.roles == b.roles &&
         a.annotations == b.annotations && SameTime(a.created, b.created) &&
         SameTime(a.assume_start_time, b.assume_start_time);
}

bool SameTimes(const AccessRequest& a, const AccessRequest& b) {
  return SameTime(a.created, b.created) && SameTime(a.expires, b.expires) &&
         SameTime(a.access_expires, b.access_expires) && SameTime(a.max_duration, b.max_duration) &&
         SameTime(a.session_ttl, b.session_ttl) && SameTime(a.assume_start_time, b.assume_start_time);
}

}  // namespace

std::string StateName(RequestState state) {
  const auto number = static_cast<std::int32_t>(state);
  if (number >= 0 && static_cast<std::size_t>(number) < kStateNames.size()) {
    return std::string(kStateNames[static_cast<std::size_t>(number)]);
  }
  return std::to_string(number);
}

std::optional<RequestState> ParseState(std::string_view text) {
  for (std::size_t i = 0; i < kStateNames.size(); ++i) {
    if (AsciiLower(text) == AsciiLower(kStateNames[i])) return static_cast<RequestState>(i);
  }
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return static_cast<RequestState>(number);
}

bool IsResolved(RequestState state) {
  return state == RequestState::kApproved || state == RequestState::kDenied ||
         state == RequestState::kPromoted;
}

bool SameContent(const AccessRequest& a, const AccessRequest& b) {
  return a.id == b.id && a.user == b.user && a.roles == b.roles && a.state == b.state &&
         a.reason == b.reason && a.resolve_reason == b.resolve_reason && a.resources == b.resources &&
         a.suggested_reviewers == b.suggested_reviewers && a.thresholds == b.thresholds &&
         a.system_annotations == b.system_annotations && a.resolve_annotations == b.resolve_annotations &&
         a.login_hint == b.login_hint && a.access_list == b.access_list && a.kind == b.kind &&
         SameTimes(a, b) &&
         std::equal(a.reviews.begin(), a.reviews.end(), b.reviews.begin(), b.reviews.end(), SameReview);
}

}  // namespace tw::access
