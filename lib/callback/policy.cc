#include "callback/policy.h"

#include <algorithm>

#include "base/text.h"
#include "base/url.h"
#include "callback/name_folding.h"
#include "callback/pattern.h"

namespace tw::callback {
namespace {

constexpr std::size_t kLongestDelegator = 128;

// Of valid UTF-8.
std::size_t Characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

// Empty lists: all.
std::optional<std::string> Outside(const std::vector<std::string>& roles,
                                   const std::vector<std::string>& users,
                                   const access::AccessRequest& request,
                                   std::span<const std::string> granted) {
  const auto outside = [&](const std::string& role) { return !MatchesAny(roles, role); };
  if (!roles.empty()) {
    // A request that names no role says nothing that could be allowed.
    if (request.roles.empty() || std::any_of(request.roles.begin(), request.roles.end(), outside) ||
        std::any_of(granted.begin(), granted.end(), outside)) {
      return "a role of this access request may not be decided by callbacks";
    }
  }
  if (!users.empty() && !MatchesAny(users, request.user)) {
    return "access requests of this user may not be decided by callbacks";
  }
  return std::nullopt;
}

}  // namespace

bool IsRequester(std::string_view user, std::span<const std::string> names) {
  const std::string folded = FoldName(user);
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return FoldName(name) == folded; });
}

bool UsableDelegator(std::string_view name) {
  return !FoldName(name).empty() && EscapeControls(name) == name &&
         Characters(ToValidUtf8(name)) <= kLongestDelegator;
}

std::optional<std::string> OutsideScope(const config::CallbackSettings& settings,
                                        const config::CallerSettings* caller,
                                        const access::AccessRequest& request,
                                        std::span<const std::string> granted) {
  auto outside = Outside(settings.roles, settings.users, request, granted);
  if (!outside && caller != nullptr) outside = Outside(caller->roles, caller->users, request, granted);
  return outside;
}

bool MayDecide(const config::CallerSettings* caller, access::RequestState decision) {
  if (caller == nullptr || caller->decisions.empty()) return true;
  const std::string_view word = decision == access::RequestState::kApproved ? "approve" : "deny";
  return std::find(caller->decisions.begin(), caller->decisions.end(), word) != caller->decisions.end();
}

bool IsCrossSite(std::optional<std::string_view> origin, std::optional<std::string_view> fetch_site,
                 std::string_view public_addr, bool tls) {
  if (fetch_site && *fetch_site != "none" && *fetch_site != "same-origin") return true;
  if (!origin) return false;
  const auto asked = ParseUrl(*origin);
  const bool has_scheme = public_addr.find("://") != std::string_view::npos;
  const auto own = ParseUrl(has_scheme ? std::string(public_addr)
                                       : (tls ? "https://" : "http://") + std::string(public_addr));
  return !asked || !own || asked->Origin() != own->Origin();
}

}  // namespace tw::callback
