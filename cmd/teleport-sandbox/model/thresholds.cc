#include "model/thresholds.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace tw::sandbox {
namespace {

struct Tally {
  std::uint32_t approvals = 0;
  std::uint32_t denials = 0;
};

bool Denied(const std::vector<Threshold>& thresholds, const std::vector<Tally>& tallies) {
  for (std::size_t i = 0; i < thresholds.size(); ++i) {
    if (thresholds[i].deny > 0 && tallies[i].denials >= thresholds[i].deny) return true;
  }
  return false;
}

bool SetIsMet(const std::vector<std::uint32_t>& set, const std::vector<Threshold>& thresholds,
              const std::vector<Tally>& tallies) {
  return std::ranges::any_of(set, [&](std::uint32_t i) {
    return i < thresholds.size() && thresholds[i].approve > 0 &&
           tallies[i].approvals >= thresholds[i].approve;
  });
}

bool Approved(const Request& request, const std::vector<Tally>& tallies) {
  return std::ranges::all_of(request.roles, [&](const std::string& role) {
    const auto sets = request.role_thresholds.find(role);
    return sets != request.role_thresholds.end() && std::ranges::all_of(sets->second, [&](const auto& set) {
             return SetIsMet(set, request.thresholds, tallies);
           });
  });
}

}  // namespace

void SetThresholds(Request& request, std::vector<Threshold> configured) {
  if (configured.empty()) configured.push_back({"default", 1, 1});
  request.thresholds = std::move(configured);
  std::vector<std::uint32_t> all(request.thresholds.size());
  std::iota(all.begin(), all.end(), 0U);
  request.role_thresholds.clear();
  for (const std::string& role : request.roles) request.role_thresholds[role] = {all};
}

std::optional<Resolution> CountReviews(const Request& request) {
  std::vector<Tally> tallies(request.thresholds.size());
  for (const Review& review : request.reviews) {
    for (const std::uint32_t i : review.threshold_indexes) {
      if (i >= tallies.size()) continue;
      if (review.proposed == State::kApproved) ++tallies[i].approvals;
      if (review.proposed == State::kDenied) ++tallies[i].denials;
    }
    if (Denied(request.thresholds, tallies)) return Resolution{State::kDenied, review.reason};
    if (Approved(request, tallies)) return Resolution{State::kApproved, review.reason};
  }
  return std::nullopt;
}

}  // namespace tw::sandbox
