// Text tools: what is escaped is harmless, what is made valid is valid, what is encoded comes back.
#include "base/secret.h"
#include "fuzz.h"

namespace {

using namespace tw;

void CheckEscaping(std::string_view text) {
  const std::string escaped = EscapeControls(text);
  FUZZ_CHECK(IsUtf8(escaped));
  for (const char c : escaped) FUZZ_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  // C1 controls, line separators and the characters that turn text around, as UTF-8 spells them.
  for (const std::string_view seed :
       {"\xc2\x80", "\xc2\x9b", "\xc2\x9f", "\xd8\x9c", "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xa8",
        "\xe2\x80\xaa", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9"}) {
    FUZZ_CHECK(escaped.find(seed) == std::string::npos);
  }
  FUZZ_CHECK(EscapeControls(escaped) == escaped);
}

void CheckUtf8(std::string_view text) {
  const std::string valid = ToValidUtf8(text);
  FUZZ_CHECK(IsUtf8(valid));
  FUZZ_CHECK(IsUtf8(text) == (valid == text));
  FUZZ_CHECK(valid.size() <= text.size() * 3);
  for (const std::size_t limit : {std::size_t{0}, std::size_t{1}, std::size_t{7}, text.size() / 2}) {
    const std::string_view cut = CutUtf8(valid, limit);
    FUZZ_CHECK(cut.size() <= limit && valid.starts_with(cut) && IsUtf8(cut));
    FUZZ_CHECK(cut.size() == valid.size() || cut.size() + 4 > limit);
    FUZZ_CHECK(CutUtf8(text, limit).size() <= limit);
  }
}

void CheckEncodings(std::string_view text) {
  const std::string base64 = Base64Encode(text);
  FUZZ_CHECK(Base64Decode(base64) == text);
  FUZZ_CHECK(HexDecode(HexEncode(text)) == text);
  // One spelling for the same bytes, but for the padding.
  if (const auto bytes = Base64Decode(text)) {
    const std::string again = Base64Encode(*bytes);
    FUZZ_CHECK(again.starts_with(text) && again.find_first_not_of('=', text.size()) == std::string::npos);
  }
  if (const auto bytes = HexDecode(text)) FUZZ_CHECK(HexEncode(*bytes) == AsciiLower(text));
}

void CheckParts(std::string_view text) {
  std::string joined;
  for (const std::string_view part : Split(text, ',')) {
    FUZZ_CHECK(part.find(',') == std::string_view::npos);
    joined += part;
    joined += ',';
  }
  joined.pop_back();
  FUZZ_CHECK(joined == text);
  const std::string_view trimmed = Trim(text);
  FUZZ_CHECK(Trim(trimmed) == trimmed && trimmed.size() <= text.size());
}

void CheckComparison(std::string_view text) {
  const std::string_view left = text.substr(0, text.size() / 2);
  const std::string_view right = text.substr(text.size() / 2);
  FUZZ_CHECK(ConstantTimeEqual(left, right) == (left == right));
  FUZZ_CHECK(ConstantTimeEqual(text, text));
  FUZZ_CHECK(Secret(std::string(left)).Matches(text) == (left == text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::AsText(data, size);
  CheckEscaping(text);
  CheckUtf8(text);
  CheckEncodings(text);
  CheckParts(text);
  CheckComparison(text);
  constexpr std::string_view kWords[] = {"approve", "deny", "serve", "watch"};
  if (size < 64) Nearest(text, kWords);
  return 0;
}
