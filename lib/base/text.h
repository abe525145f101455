// Small text tools without a home elsewhere.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tw {

// What some editors put in front of UTF-8.
inline constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string AsciiLower(std::string_view text);
std::string_view Trim(std::string_view text);  // blanks, tabs, CR, LF
std::vector<std::string_view> Split(std::string_view text, char separator);

// Control characters (C0, DEL, C1), bidirectional overrides and bytes that are not UTF-8 become visible
// escapes, so that text which a requester typed cannot steer a terminal or forge a log line.
std::string EscapeControls(std::string_view text);
bool IsUtf8(std::string_view text);
// Invalid bytes become U+FFFD, one for each, as Go's encoders do.
std::string ToValidUtf8(std::string_view text);
// At most `bytes` long, cut between characters.
std::string_view CutUtf8(std::string_view text, std::size_t bytes);

std::string HexEncode(std::string_view bytes);  // lower case
std::optional<std::string> HexDecode(std::string_view text);
std::string Base64Encode(std::string_view bytes);  // standard alphabet, padded
// Standard alphabet; padding may be missing but not wrong; nullopt for anything else, also non-canonical
// ends.
std::optional<std::string> Base64Decode(std::string_view text);

// The candidate nearest to `word` by edit distance, empty when none is near enough to be a likely slip.
std::string Nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace tw
