#include "callback/name_folding.h"

#include <algorithm>
#include <unordered_map>

#include "base/text.h"

namespace tw::callback {
namespace {

constexpr std::string_view kPrefix = "webhooks:";

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
         Within(rune, 0x205f, 0x206f) || rune == 0x2800 || rune == 0x3000 || rune == 0x3164 ||
         Within(rune, 0xfe00, 0xfe0f) || rune == 0xfeff || rune == 0xffa0 || Within(rune, 0xfff0, 0xfffb) ||
         Within(rune, 0x1bca0, 0x1bca3) || rune == 0x1d159 || Within(rune, 0x1d173, 0x1d17a) ||
         Within(rune, 0xe0000, 0xe0fff);
}

// ASCII in its wide and its mathematical forms, which are many but regular.
char32_t Plain(char32_t rune) {
  if (Within(rune, 0xff01, 0xff5e)) return rune - 0xff01 + '!';
  if (Within(rune, 0x1d400, 0x1d6a3)) {  // A-Z a-z in each of 13 styles
    const char32_t offset = (rune - 0x1d400) % 52;
    return offset < 26 ? 'a' + offset : 'a' + offset - 26;
  }
  if (Within(rune, 0x1d7ce, 0x1d7ff)) return '0' + (rune - 0x1d7ce) % 10;
  return rune;
}

using Foldings = std::unordered_map<char32_t, std::u32string>;

Foldings ReadFoldings() {
  Foldings out;
  for (const std::string_view word : Split(kFoldings, ' ')) {
    const std::u32string runes = Decode(word);
    if (!runes.empty()) out.emplace(runes[0], runes.substr(1));
  }
  return out;
}

void AppendFolded(char32_t rune, std::u32string& out) {
  static const Foldings kByRune = ReadFoldings();
  rune = Plain(rune);
  if (Within(rune, 'A', 'Z')) rune += 'a' - 'A';
  const auto found = rune < 0x80 ? kByRune.end() : kByRune.find(rune);
  if (found == kByRune.end())
    out += rune;
  else
    out += found->second;
}

// Accents on one letter have no order of their own.
void SortAccents(std::u32string& text) {
  const auto accent = [](char32_t rune) { return Within(rune, 0x300, 0x36f); };
  for (auto at = text.begin(); at != text.end();) {
    const auto first = std::find_if(at, text.end(), accent);
    at = std::find_if_not(first, text.end(), accent);
    std::sort(first, at);
  }
}

std::string Encode(std::u32string_view runes) {
  std::string out;
  const auto byte = [&](char32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
  for (const char32_t rune : runes) {
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
  return out;
}

}  // namespace

std::string FoldName(std::string_view name) {
  std::u32string folded;
  for (const char32_t rune : Decode(name)) {
    if (!Invisible(rune)) AppendFolded(rune, folded);
  }
  SortAccents(folded);
  std::string out = Encode(folded);
  while (out.starts_with(kPrefix)) out.erase(0, kPrefix.size());
  return out;
}

}  // namespace tw::callback
