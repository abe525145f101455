#include "callback/policy.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"
#include "base/url.h"
#include "callback/pattern.h"

namespace tw::callback {
namespace {

constexpr std::string_view kPrefix = "webhooks:";
constexpr std::size_t kLongestDelegator = 128;

std::u32string Decode(std::string_view text) {
  std::u32string out;
  const std::string valid = ToValidUtf8(text);
  for (std::size_t i = 0; i < valid.size();) {
    const auto lead = static_cast<unsigned char>(valid[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    char32_t rune = length == 1 ? lead : lead & (0xffU >> (length + 1));
    for (std::size_t k = 1; k < length; ++k)
      rune = (rune << 6U) | (static_cast<unsigned char>(valid[i + k]) & 0x3fU);
    out += rune;
    i += length;
  }
  return out;
}

bool Within(char32_t rune, char32_t first, char32_t last) {
  return rune >= first && rune <= last;
}

// Blanks of every width, and characters that show nothing.
bool Invisible(char32_t rune) {
  return rune <= 0x20 || Within(rune, 0x7f, 0xa0) || rune == 0xad || rune == 0x34f || rune == 0x61c ||
         rune == 0x115f || rune == 0x1160 || rune == 0x1680 || rune == 0x17b4 || rune == 0x17b5 ||
         Within(rune, 0x180b, 0x180f) || Within(rune, 0x2000, 0x200f) || Within(rune, 0x2028, 0x202f) ||
         Within(rune, 0x205f, 0x206f) || rune == 0x3000 || rune == 0x3164 || Within(rune, 0xfe00, 0xfe0f) ||
         rune == 0xfeff || rune == 0xffa0 || Within(rune, 0xe0000, 0xe0fff);
}

// The ASCII letter or digit of which this is a wide, styled or enclosed form (Unicode's compatibility
// decompositions of these blocks).
char32_t Plain(char32_t rune) {
  if (Within(rune, 0xff01, 0xff5e)) return rune - 0xff01 + '!';
  if (Within(rune, 0x1d400, 0x1d6a3)) {  // mathematical letters: A-Z a-z in each of 13 styles
    const char32_t offset = (rune - 0x1d400) % 52;
    return offset < 26 ? 'a' + offset : 'a' + offset - 26;
  }
  if (Within(rune, 0x1d7ce, 0x1d7ff)) return '0' + (rune - 0x1d7ce) % 10;
  if (Within(rune, 0x24b6, 0x24cf)) return 'a' + (rune - 0x24b6);
  if (Within(rune, 0x24d0, 0x24e9)) return 'a' + (rune - 0x24d0);
  if (rune == 0x212a) return 'k';
  if (rune == 0x17f) return 's';
  if (rune == 0x212b) return 0xe5;
  return rune;
}

char32_t Lower(char32_t rune) {
  if (Within(rune, 'A', 'Z') || Within(rune, 0xc0, 0xd6) || Within(rune, 0xd8, 0xde)) return rune + 0x20;
  if (Within(rune, 0x391, 0x3a9) || Within(rune, 0x410, 0x42f)) return rune + 0x20;
  if (Within(rune, 0x400, 0x40f)) return rune + 0x50;
  const bool even_is_upper = Within(rune, 0x100, 0x137) || Within(rune, 0x14a, 0x177) ||
                             Within(rune, 0x460, 0x481) || Within(rune, 0x48a, 0x4bf) ||
                             Within(rune, 0x1e00, 0x1eff);
  if (even_is_upper && rune != 0x130 && rune != 0x131) return rune | 1U;
  const bool odd_is_upper = Within(rune, 0x139, 0x148) || Within(rune, 0x179, 0x17e);
  if (odd_is_upper && rune % 2 == 1) return rune + 1;
  return rune;
}

void Append(char32_t rune, std::string& out) {
  const auto byte = [&](char32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
  if (rune < 0x80) {
    byte(rune);
  } else if (rune < 0x800) {
    byte(0xc0U | (rune >> 6U)), byte(0x80U | (rune & 0x3fU));
  } else if (rune < 0x10000) {
    byte(0xe0U | (rune >> 12U)), byte(0x80U | ((rune >> 6U) & 0x3fU)), byte(0x80U | (rune & 0x3fU));
  } else {
    byte(0xf0U | (rune >> 18U)), byte(0x80U | ((rune >> 12U) & 0x3fU));
    byte(0x80U | ((rune >> 6U) & 0x3fU)), byte(0x80U | (rune & 0x3fU));
  }
}

}  // namespace

std::string FoldName(std::string_view name) {
  std::string out;
  for (const char32_t rune : Decode(name)) {
    if (!Invisible(rune)) Append(Lower(Plain(rune)), out);
  }
  while (out.starts_with(kPrefix)) out.erase(0, kPrefix.size());
  return out;
}

bool IsRequester(std::string_view user, std::span<const std::string> names) {
  const std::string folded = FoldName(user);
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return FoldName(name) == folded; });
}

bool UsableDelegator(std::string_view name) {
  return !name.empty() && EscapeControls(name) == name && Decode(name).size() <= kLongestDelegator;
}

Scope ScopeOf(const config::CallbackSettings& settings, const config::CallerSettings* caller) {
  Scope out{settings.roles, settings.users};
  if (caller != nullptr && !caller->roles.empty()) out.roles = caller->roles;
  if (caller != nullptr && !caller->users.empty()) out.users = caller->users;
  return out;
}

std::optional<std::string> OutsideScope(const Scope& scope, const access::AccessRequest& request,
                                        std::span<const std::string> granted) {
  const auto outside = [&](const std::string& role) { return !MatchesAny(scope.roles, role); };
  if (!scope.roles.empty()) {
    // A request that names no role says nothing that could be allowed.
    if (request.roles.empty() || std::any_of(request.roles.begin(), request.roles.end(), outside) ||
        std::any_of(granted.begin(), granted.end(), outside)) {
      return "a role of this access request may not be decided by callbacks";
    }
  }
  if (!scope.users.empty() && !MatchesAny(scope.users, request.user)) {
    return "access requests of this user may not be decided by callbacks";
  }
  return std::nullopt;
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
