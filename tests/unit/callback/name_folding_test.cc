#include "callback/name_folding.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "callback/policy.h"

namespace tw::callback {
namespace {

TEST(FoldName, KeepsDifferentNamesApart) {
  EXPECT_NE(FoldName("alice"), FoldName("alice2"));
  EXPECT_NE(FoldName("alice"), FoldName("alicia"));
  EXPECT_NE(FoldName("ren\u00e9"), FoldName("rene"));
  EXPECT_NE(FoldName("\u0430lice"), FoldName("alice"));  // a Cyrillic letter is another letter
  EXPECT_NE(FoldName("a.b"), FoldName("ab"));
}

TEST(FoldName, FoldsCaseAlsoBeyondAscii) {
  EXPECT_EQ(FoldName("ALICE"), "alice");
  EXPECT_EQ(FoldName("REN\u00c9"), FoldName("ren\u00e9"));
  EXPECT_EQ(FoldName("\u0410\u043d\u043d\u0430"), FoldName("\u0430\u043d\u043d\u0430"));
  EXPECT_EQ(FoldName("\u03a3\u039f\u03a6\u039f\u03a3"), FoldName("\u03c3\u03bf\u03c6\u03bf\u03c2"));
  EXPECT_EQ(FoldName("GROSS"), FoldName("gro\u00df"));
  EXPECT_EQ(FoldName("\u0531"), FoldName("\u0561"));
}

TEST(FoldName, FoldsWidthStyleAndLigatures) {
  EXPECT_EQ(FoldName("\uff21\uff4c\uff49\uff43\uff45\uff11"), "alice1");  // full width
  EXPECT_EQ(FoldName("\U0001d400\U0001d4f5\U0001d526\U0001d55c\U0001d68e\U0001d7d9"),
            "alike1");                                                           // mathematical
  EXPECT_EQ(FoldName("\u24b6\u24db\u24d8\u24d2\u24d4\u2460"), "alice1");         // enclosed
  EXPECT_EQ(FoldName("\u1d2c\u02e1\u2071\u1d9c\u1d49\u00b9\u2081"), "alice11");  // raised, lowered
  EXPECT_EQ(FoldName("\u212aate \u2113 \ufb01n \u2163"), "katelfiniv");          // letter-like
  EXPECT_EQ(FoldName("\uff57ebhooks\uff1aalice"), "alice");
}

TEST(FoldName, TakesComposedAndSeparateAccentsForTheSame) {
  EXPECT_EQ(FoldName("Jos\u00e9"), FoldName("jose\u0301"));
  EXPECT_EQ(FoldName("\u1e69"), FoldName("s\u0323\u0307"));
  EXPECT_EQ(FoldName("s\u0307\u0323"), FoldName("s\u0323\u0307"));
  EXPECT_EQ(FoldName("\u0419"), FoldName("\u0438\u0306"));
}

TEST(FoldName, DropsBlanksAndWhatShowsNothing) {
  for (const std::string blank :
       {" ", "\t", "\u00a0", "\u2003", "\u3000", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u202e", "\u034f",
        "\ufe0f", "\U000e0041", "\u2800", "\ufff9", "\U0001bca0", "\U0001d159", "\U0001d173"}) {
    EXPECT_EQ(FoldName(blank + "ali" + blank + "ce" + blank), "alice") << HexEncode(blank);
  }
}

TEST(FoldName, ChangesNothingMoreTheSecondTime) {
  for (const std::string_view word : Split(kFoldings, ' ')) {
    const std::string once = FoldName(word);
    ASSERT_EQ(FoldName(once), once) << HexEncode(word);
  }
}

TEST(IsRequester, SeesThroughSpellings) {
  const std::string names[] = {"portal", "webhooks: \uff21LICE\u200b"};
  EXPECT_TRUE(IsRequester("alice", names));
  EXPECT_FALSE(IsRequester("bob", names));
}

}  // namespace
}  // namespace tw::callback
