#include "base/text.h"

#include <gtest/gtest.h>

#include <array>

namespace tw {
namespace {

using namespace std::string_view_literals;

TEST(EscapeControls, LeavesPlainAndForeignTextAlone) {
  for (const std::string_view text : {"", "plain text", "zoë 🔑 日本語", "C:\\path", "a\"b'c"}) {
    EXPECT_EQ(EscapeControls(text), text);
  }
}

TEST(EscapeControls, ShowsControlCharactersInsteadOfSendingThem) {
  EXPECT_EQ(EscapeControls("a\nb\rc\td"), "a\\nb\\rc\\td");
  EXPECT_EQ(EscapeControls("\x1b[2Jx\x07"), "\\u001b[2Jx\\u0007");
  EXPECT_EQ(EscapeControls("a\0b"sv), "a\\u0000b");
  EXPECT_EQ(EscapeControls("\x7f"), "\\u007f");
  EXPECT_EQ(EscapeControls("\xc2\x9b"), "\\u009b");  // C1: CSI in one character
}

TEST(EscapeControls, ShowsCharactersThatTurnTheTextAround) {
  EXPECT_EQ(EscapeControls("a\xe2\x80\xae"
                           "b"),
            "a\\u202eb");
  EXPECT_EQ(EscapeControls("\xe2\x81\xa6\xe2\x81\xa9"), "\\u2066\\u2069");
  EXPECT_EQ(EscapeControls("\xe2\x80\x8e\xe2\x80\x8f"), "\\u200e\\u200f");
  EXPECT_EQ(EscapeControls("\xd8\x9c"), "\\u061c");  // Arabic letter mark
}

TEST(EscapeControls, ShowsLineSeparatorsAndTheByteOrderMark) {
  EXPECT_EQ(EscapeControls("\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf"), "\\u2028\\u2029\\ufeff");
}

TEST(EscapeControls, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(EscapeControls("\xff"), "\\xff");
  EXPECT_EQ(EscapeControls("\xc3"), "\\xc3");                             // cut short
  EXPECT_EQ(EscapeControls("\xc0\xaf"), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(EscapeControls("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(EscapeControls("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
}

TEST(Utf8, TellsValidFromInvalid) {
  for (const std::string_view valid : {"", "a", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsUtf8(valid)) << EscapeControls(valid);
  }
  for (const std::string_view invalid :
       {"\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xe2\x82", "a\xffz"}) {
    EXPECT_FALSE(IsUtf8(invalid)) << EscapeControls(invalid);
  }
}

TEST(Utf8, ReplacesEachBadByteByOneReplacementCharacter) {
  EXPECT_EQ(ToValidUtf8("a\xff\xfe"
                        "b"),
            "a\xef\xbf\xbd\xef\xbf\xbd"
            "b");
  EXPECT_EQ(ToValidUtf8("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(ToValidUtf8("zoë"), "zoë");
}

TEST(Utf8, CutsBetweenCharacters) {
  EXPECT_EQ(CutUtf8("abc", 5), "abc");
  EXPECT_EQ(CutUtf8("abc", 2), "ab");
  EXPECT_EQ(CutUtf8("zoë", 3), "zo");
  EXPECT_EQ(CutUtf8("zoë", 4), "zoë");
  EXPECT_EQ(CutUtf8("🔑🔑", 7), "🔑");
  EXPECT_EQ(CutUtf8("🔑", 0), "");
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_EQ(Split("", ','), (std::vector{""sv}));
  EXPECT_EQ(Split("a,,b,", ','), (std::vector{"a"sv, ""sv, "b"sv, ""sv}));
}

TEST(Trim, RemovesBlanksAtBothEndsOnly) {
  EXPECT_EQ(Trim(" \t\r\na b\n"), "a b");
  EXPECT_EQ(Trim(" \n "), "");
  EXPECT_EQ(Trim("\va"), "\va");
}

TEST(AsciiLower, TouchesAsciiLettersOnly) {
  EXPECT_EQ(AsciiLower("ABC-Ä@[`{Z"), "abc-Ä@[`{z");
}

TEST(Nearest, FindsTheLikelySlip) {
  constexpr std::array kWords = {"approve"sv, "deny"sv, "serve"sv, "watch"sv};
  EXPECT_EQ(Nearest("aprove", kWords), "approve");
  EXPECT_EQ(Nearest("wacth", kWords), "watch");
  EXPECT_EQ(Nearest("WTCH", kWords), "watch");
  EXPECT_EQ(Nearest("serv", kWords), "serve");
}

TEST(Nearest, SaysNothingWhenNothingIsNear) {
  constexpr std::array kWords = {"approve"sv, "deny"sv};
  EXPECT_EQ(Nearest("zzzzzz", kWords), "");
  EXPECT_EQ(Nearest("", kWords), "");
}

}  // namespace
}  // namespace tw
