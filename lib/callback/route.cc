#include "callback/route.h"

#include <algorithm>

#include "base/text.h"
#include "base/url.h"

namespace tw::callback {
namespace {

constexpr std::size_t kLongestId = 256;
constexpr std::string_view kRequests = "/v1/requests/";
constexpr std::string_view kReading = "GET, HEAD";
constexpr std::string_view kWriting = "POST";

// The path of origin form ("/x?y") and absolute form ("https://host/x?y", RFC 9112 section 3.2.2).
std::string_view PathOf(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!AsciiLower(target.substr(0, scheme.size())).starts_with(scheme)) continue;
    const auto end = target.find_first_of("/?#", scheme.size());
    const bool has_path = end != std::string_view::npos && target[end] == '/';
    target = has_path ? target.substr(end) : std::string_view("/");
    break;
  }
  return target.substr(0, target.find_first_of("?#"));
}

Route Allowed(RouteKind kind, std::string_view allow, std::string_view method, std::string id) {
  for (const std::string_view each : Split(allow, ',')) {
    if (Trim(each) == method) return {kind, std::move(id), allow};
  }
  return {RouteKind::kMethod, {}, allow};
}

}  // namespace

Route FindRoute(std::string_view method, std::string_view target) {
  const std::string_view path = PathOf(target);
  if (path == "/") return Allowed(RouteKind::kLegacy, kWriting, method, {});
  if (path == "/status") return Allowed(RouteKind::kStatus, kReading, method, {});
  if (!path.starts_with(kRequests)) return {};
  const auto parts = Split(path.substr(kRequests.size()), '/');
  std::string id = PercentDecode(parts[0]);
  if (parts.size() == 1) return Allowed(RouteKind::kShow, kReading, method, std::move(id));
  if (parts.size() != 2) return {};
  if (parts[1] == "approve") return Allowed(RouteKind::kApprove, kWriting, method, std::move(id));
  if (parts[1] == "deny") return Allowed(RouteKind::kDeny, kWriting, method, std::move(id));
  return {};
}

bool UsableId(std::string_view id) {
  return !id.empty() && id.size() <= kLongestId && id.find('/') == std::string_view::npos &&
         EscapeControls(id) == id;
}

}  // namespace tw::callback
