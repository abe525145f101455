#include "webhook/go_json.h"

#include "base/text.h"

namespace tw::webhook {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kLineSeparator = "\xe2\x80\xa8";       // U+2028
constexpr std::string_view kParagraphSeparator = "\xe2\x80\xa9";  // U+2029

void AppendAscii(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
    case '\\':
      out += '\\';
      out += static_cast<char>(c);
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (c >= 0x20 && c != '<' && c != '>' && c != '&') {
    out += static_cast<char>(c);
    return;
  }
  out += "\\u00";
  out += kHex[c >> 4U];
  out += kHex[c & 0xfU];
}

// Bytes of the sequence that starts here, by its lead byte; IsUtf8 judges it.
std::size_t SequenceLength(unsigned char lead) {
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return 2;
}

}  // namespace

void AppendGoString(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      AppendAscii(out, c);
      ++i;
      continue;
    }
    const std::string_view rune = text.substr(i, SequenceLength(c));
    if (rune.size() != SequenceLength(c) || !IsUtf8(rune)) {
      out += "\\ufffd";
      ++i;
      continue;
    }
    if (rune == kLineSeparator) {
      out += "\\u2028";
    } else if (rune == kParagraphSeparator) {
      out += "\\u2029";
    } else {
      out += rune;
    }
    i += rune.size();
  }
  out += '"';
}

}  // namespace tw::webhook
