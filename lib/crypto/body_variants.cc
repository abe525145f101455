#include "crypto/body_variants.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "base/text.h"

namespace tw::crypto {
namespace {

std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (std::size_t at = text.find(from); at != std::string_view::npos; at = text.find(from)) {
    out.append(text.substr(0, at)).append(to);
    text.remove_prefix(at + from.size());
  }
  return out.append(text);
}

// How a JSON library writes the characters of a string.
enum class Escapes {
  kAsTheyAre,
  kFewest,     // JavaScript, Rust, this program
  kGo,         // and <, >, &, U+2028, U+2029
  kAsciiOnly,  // Python
};

// Writes a JSON value as another library would: its tokens stay, blanks and escapes change. What follows the
// value is left out.
class Reprinter {
 public:
  Reprinter(std::string_view json, Escapes escapes, bool spaced)
      : rest_(json), escapes_(escapes), spaced_(spaced) {}

  std::string Run() {
    int depth = 0;
    do {
      rest_ = rest_.substr(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
      if (rest_.empty()) break;
      const char c = rest_.front();
      rest_.remove_prefix(1);
      out_ += c;
      depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
      if (c == '"') String();
      if (spaced_ && (c == ',' || c == ':')) out_ += ' ';
    } while (depth > 0);
    return std::move(out_);
  }

 private:
  void String() {
    while (!rest_.empty()) {
      const char c = rest_.front();
      const std::size_t length = c == '\\' ? (rest_.substr(1, 1) == "u" ? 6 : 2) : Utf8Length(c);
      const std::string_view unit = rest_.substr(0, length);
      rest_.remove_prefix(unit.size());
      if (c == '"') {
        out_ += c;
        return;
      }
      Character(unit);
    }
  }

  static std::size_t Utf8Length(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
  }

  static std::optional<std::uint32_t> HexUnit(std::string_view unit) {
    std::uint32_t value = 0;
    if (unit.size() != 6 || !unit.starts_with("\\u")) return std::nullopt;
    const auto [end, error] = std::from_chars(unit.data() + 2, unit.data() + 6, value, 16);
    if (error != std::errc() || end != unit.data() + 6) return std::nullopt;
    return value;
  }

  // The code point of what stands in a string: a character or its escape. Nothing: it stays as it is.
  std::optional<std::uint32_t> Decode(std::string_view unit) {
    if (unit == "\\/") return '/';
    if (unit.front() == '\\') {
      const auto first = HexUnit(unit);
      if (!first || (*first & 0xF800U) != 0xD800) return first;
      const auto second = HexUnit(rest_.substr(0, 6));
      if (!second || *first >= 0xDC00 || (*second & 0xFC00U) != 0xDC00) return std::nullopt;
      rest_.remove_prefix(6);
      return 0x10000 + ((*first & 0x3FFU) << 10U) + (*second & 0x3FFU);
    }
    if (unit.size() == 1) return static_cast<unsigned char>(unit.front());
    std::uint32_t code = static_cast<unsigned char>(unit.front()) & (0xFFU >> (unit.size() + 1));
    for (const char c : unit.substr(1)) code = (code << 6U) | (static_cast<unsigned char>(c) & 0x3FU);
    return code;
  }

  void Character(std::string_view unit) {
    if (escapes_ == Escapes::kAsTheyAre) {
      out_ += unit;
      return;
    }
    const auto code = Decode(unit);
    // Quotes and control characters have to be escaped by everybody.
    if (!code || *code < 0x20 || *code == '"' || *code == '\\') {
      out_ += unit;
    } else if ((escapes_ == Escapes::kAsciiOnly && *code > 0x7F) ||
               (escapes_ == Escapes::kGo && GoEscapes(*code))) {
      Escaped(*code);
    } else {
      Raw(*code);
    }
  }

  static bool GoEscapes(std::uint32_t code) {
    return code == '<' || code == '>' || code == '&' || code == 0x2028 || code == 0x2029;
  }

  void Escaped(std::uint32_t code) {
    if (code >= 0x10000) {
      fmt::format_to(std::back_inserter(out_), "\\u{:04x}", 0xD800 + ((code - 0x10000) >> 10U));
      code = 0xDC00 + ((code - 0x10000) & 0x3FFU);
    }
    fmt::format_to(std::back_inserter(out_), "\\u{:04x}", code);
  }

  void Raw(std::uint32_t code) {
    if (code < 0x80) {
      out_ += static_cast<char>(code);
      return;
    }
    const unsigned tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    out_ += static_cast<char>(((0xFF00U >> (tail + 1)) & 0xFFU) | (code >> (6 * tail)));
    for (unsigned left = tail; left-- > 0;) out_ += static_cast<char>(0x80U | ((code >> (6 * left)) & 0x3FU));
  }

  std::string_view rest_;
  const Escapes escapes_;
  const bool spaced_;
  std::string out_;
};

}  // namespace

std::vector<BodyVariant> BodyVariants(std::string_view body) {
  std::vector<BodyVariant> all;
  const auto add = [&](std::string variant, std::string_view what) {
    if (variant != body) all.push_back({std::move(variant), what});
  };
  std::string_view bare = body;
  while (bare.ends_with('\n') || bare.ends_with('\r')) bare.remove_suffix(1);
  add(std::string(bare), "a newline was added at its end");
  add(std::string(body) + "\n", "the newline at its end was removed");
  add(std::string(body) + "\r\n", "the newline at its end was removed");
  add(ReplaceAll(body, "\r\n", "\n"), "its line ends were changed from LF to CRLF");
  add(ReplaceAll(ReplaceAll(body, "\r\n", "\n"), "\n", "\r\n"), "its line ends were changed from CRLF to LF");
  if (body.starts_with(kByteOrderMark))
    add(std::string(body.substr(kByteOrderMark.size())), "a byte order mark was put in front");
  const std::string_view start = Trim(body);
  if (start.starts_with('{') || start.starts_with('[')) {
    add(Reprinter(body, Escapes::kAsTheyAre, false).Run(), "blanks were added between its JSON tokens");
    add(Reprinter(body, Escapes::kAsTheyAre, true).Run(),
        "it was parsed and written again without its blanks");
    for (const Escapes escapes : {Escapes::kFewest, Escapes::kGo, Escapes::kAsciiOnly}) {
      for (const bool spaced : {false, true})
        add(Reprinter(body, escapes, spaced).Run(),
            "it was parsed and written again, with other escapes in its text");
    }
  }
  add({}, "it was empty when it was signed");
  return all;
}

}  // namespace tw::crypto
