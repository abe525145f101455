// Which Teleport release the sandbox speaks for, and what that release has or lacks. Pure, any thread.
// Facts: reference page sections 1.1, 2.4 and 9.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

namespace tw::sandbox {

enum class Release { k6 = 6, k8 = 8, k12 = 12, k13 = 13, k16 = 16, k18 = 18 };

// "6", "8", "12", "13", "16", "18"; nullopt for anything else.
std::optional<Release> ParseRelease(std::string_view text);
std::string_view KnownReleases();  // for messages: "6, 8, 12, 13, 16, 18"
// What Ping answers, e.g. "8.3.21".
std::string_view ServerVersion(Release release);

// Does the release serve this method of proto.AuthService?
bool HasMethod(Release release, std::string_view method);
// Every method that one of the releases has.
std::vector<std::string_view> MethodNames();

inline bool AtLeast(Release release, int major) {
  return static_cast<int>(release) >= major;
}

inline bool InitCarriesStatus(Release r) {
  return AtLeast(r, 13);
}
inline bool LimitsReasons(Release r) {
  return AtLeast(r, 10);
}
inline bool HasResources(Release r) {
  return AtLeast(r, 10);
}
inline bool HasMaxDuration(Release r) {
  return AtLeast(r, 14);
}
inline bool RefusesLateReviews(Release r) {
  return AtLeast(r, 14);
}
inline bool HasPromotion(Release r) {
  return AtLeast(r, 15);
}
inline bool HasAssumeStartTime(Release r) {
  return AtLeast(r, 15);
}
inline bool ObeysDenyRules(Release r) {
  return AtLeast(r, 15);
}
inline bool HasRevision(Release r) {
  return AtLeast(r, 15);
}
inline bool RefusesSelfDecision(Release r) {
  return AtLeast(r, 16);
}
inline bool MakesIds(Release r) {
  return AtLeast(r, 14);
}  // replaces names sent by the client
inline bool SendsVersionHeader(Release r) {
  return AtLeast(r, 16);
}
inline bool HasMetadataId(Release r) {
  return !AtLeast(r, 17);
}
inline bool HasResourceExpiry(Release r) {
  return AtLeast(r, 18);
}
// The community edition that mode 8 stands for knows no review rules (section 11).
inline bool KnowsReviewRules(Release r) {
  return r != Release::k8;
}

// How long a pending request waits, before the end of the access cuts it short (section 2.4).
std::chrono::hours PendingLife(Release release);
// How long after its end a pending request is still there: 40 s where a job removes it (section 3.6).
std::chrono::seconds ExpiryGrace(Release release);

}  // namespace tw::sandbox
