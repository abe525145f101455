#include <gtest/gtest.h>

#include "base/text.h"

namespace tw {
namespace {

std::string AllBytes() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  return bytes;
}

// RFC 4648 section 10.
constexpr std::pair<std::string_view, std::string_view> kBase64[] = {{"", ""},
                                                                     {"f", "Zg=="},
                                                                     {"fo", "Zm8="},
                                                                     {"foo", "Zm9v"},
                                                                     {"foob", "Zm9vYg=="},
                                                                     {"fooba", "Zm9vYmE="},
                                                                     {"foobar", "Zm9vYmFy"}};

TEST(Base64, EncodesAndDecodesTheVectorsOfTheRfc) {
  for (const auto& [plain, encoded] : kBase64) {
    EXPECT_EQ(Base64Encode(plain), encoded);
    EXPECT_EQ(Base64Decode(encoded), plain);
  }
}

TEST(Base64, DecodesWithoutPadding) {
  EXPECT_EQ(Base64Decode("Zg"), "f");
  EXPECT_EQ(Base64Decode("Zm8"), "fo");
}

TEST(Base64, EveryByteComesBack) {
  EXPECT_EQ(Base64Decode(Base64Encode(AllBytes())), AllBytes());
}

TEST(Base64, RefusesWrongPadding) {
  for (const std::string_view text :
       {"=", "==", "====", "Zg=", "Zg===", "Z===", "Zm9v=", "Zm9v====", "Zg==Zg==", "=Zg="}) {
    EXPECT_EQ(Base64Decode(text), std::nullopt) << text;
  }
}

TEST(Base64, RefusesWhatIsNotOfTheAlphabet) {
  for (const std::string_view text : {"Zm 9", "Zm9v\n", "Zm-_", "Zm9\x80"}) {
    EXPECT_EQ(Base64Decode(text), std::nullopt) << text;
  }
}

TEST(Base64, RefusesASecondSpellingOfTheSameBytes) {
  EXPECT_EQ(Base64Decode("Zh=="), std::nullopt);
  EXPECT_EQ(Base64Decode("Zm9="), std::nullopt);
  EXPECT_EQ(Base64Decode("Zm9"), std::nullopt);
}

TEST(Hex, EncodesInLowerCaseAndReadsBoth) {
  EXPECT_EQ(HexEncode("\xAB\x01"), "ab01");
  EXPECT_EQ(HexDecode("aB01"), "\xAB\x01");
  EXPECT_EQ(HexDecode(HexEncode(AllBytes())), AllBytes());
}

TEST(Hex, RefusesHalfBytesAndOtherLetters) {
  for (const std::string_view text : {"a", "abc", "0x", "g0", " 0", "0\xff"}) {
    EXPECT_EQ(HexDecode(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace tw
