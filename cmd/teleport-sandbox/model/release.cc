#include "model/release.h"

#include <algorithm>
#include <array>

namespace tw::sandbox {
namespace {

struct ReleaseName {
  Release release;
  std::string_view name;
  std::string_view version;
};

constexpr std::array<ReleaseName, 6> kReleases{{
    {Release::k6, "6", "6.1.0"},
    {Release::k8, "8", "8.3.21"},
    {Release::k12, "12", "12.4.0"},
    {Release::k13, "13", "13.0.0"},
    {Release::k16, "16", "16.1.0"},
    {Release::k18, "18", "18.2.0"},
}};

struct MethodSpan {
  std::string_view method;
  int first;  // major release that serves it first, patch-level backports to release 8 included
  int last;   // major release that serves it last
};

constexpr int kStillThere = 99;

constexpr std::array<MethodSpan, 16> kMethods{{
    {"Ping", 6, kStillThere},
    {"WatchEvents", 6, kStillThere},
    {"ListAccessRequests", 16, kStillThere},
    {"GetAccessRequestsV2", 8, kStillThere},
    {"GetAccessRequests", 6, 12},
    {"CreateAccessRequestV2", 14, kStillThere},
    {"CreateAccessRequest", 6, 14},
    {"DeleteAccessRequest", 6, kStillThere},
    {"SetAccessRequestState", 6, kStillThere},
    {"SubmitAccessReview", 6, kStillThere},
    {"GetAccessCapabilities", 6, kStillThere},
    {"GetPluginData", 6, kStillThere},
    {"UpdatePluginData", 6, kStillThere},
    {"GetRole", 6, kStillThere},
    {"GetCurrentUser", 8, kStillThere},
    {"GetCurrentUserRoles", 8, kStillThere},
}};

}  // namespace

std::optional<Release> ParseRelease(std::string_view text) {
  const auto* found = std::ranges::find(kReleases, text, &ReleaseName::name);
  if (found == kReleases.end()) return std::nullopt;
  return found->release;
}

std::string_view KnownReleases() {
  return "6, 8, 12, 13, 16, 18";
}

std::string_view ServerVersion(Release release) {
  return std::ranges::find(kReleases, release, &ReleaseName::release)->version;
}

bool HasMethod(Release release, std::string_view method) {
  const auto* found = std::ranges::find(kMethods, method, &MethodSpan::method);
  if (found == kMethods.end()) return false;
  const int major = static_cast<int>(release);
  return found->first <= major && major <= found->last;
}

std::vector<std::string_view> MethodNames() {
  std::vector<std::string_view> out;
  for (const MethodSpan& span : kMethods) out.push_back(span.method);
  return out;
}

std::chrono::hours PendingLife(Release release) {
  return AtLeast(release, 14) ? std::chrono::hours(7 * 24) : std::chrono::hours(1);
}

std::chrono::seconds ExpiryGrace(Release release) {
  return std::chrono::seconds(HasResourceExpiry(release) ? 40 : 0);
}

}  // namespace tw::sandbox
