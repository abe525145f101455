#include "webhook/form_encode.h"

namespace tw::webhook {
namespace {

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '*' || c == '-' ||
         c == '.' || c == '_';
}

void AppendEncoded(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    if (IsPlain(c)) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xfU];
    }
  }
}

}  // namespace

void AppendFormField(std::string& out, std::string_view name, std::string_view value) {
  if (!out.empty()) out += '&';
  AppendEncoded(out, name);
  out += '=';
  AppendEncoded(out, value);
}

}  // namespace tw::webhook
