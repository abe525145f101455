#include "crypto/signature_diagnosis.h"

#include <gmock/gmock.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "signature_vectors.h"

namespace tw::crypto {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Captured {
  std::vector<std::pair<std::string, std::string>> headers{{"webhook-id", std::string(kId1)},
                                                           {"webhook-timestamp", std::to_string(kTime1)},
                                                           {"webhook-signature", std::string(kSignature1)}};
  std::string body{kBody1};
  SystemTime now = At(kTime1);
  WebhookScheme scheme = WebhookScheme::kStandard;

  Diagnosis Diagnose(std::string_view secret = kKey1) const {
    const std::vector<HeaderView> views(headers.begin(), headers.end());
    const Secret secrets[] = {Secret(std::string(secret))};
    return DiagnoseSignature(scheme, secrets, views, body, now);
  }
  // Signed with these key bytes instead.
  void SignWith(std::string_view key) {
    headers[2].second = StandardV1(key, StandardContent(kId1, std::to_string(kTime1), body));
  }
};

TEST(SignatureDiagnosis, SaysWhenNothingIsWrong) {
  EXPECT_EQ(Captured().Diagnose().cause, SignatureCause::kNone);
}

TEST(SignatureDiagnosis, NamesAnotherSecretWhenNoSlipExplainsIt) {
  EXPECT_EQ(Captured().Diagnose(kKey2).cause, SignatureCause::kWrongSecret);
}

TEST(SignatureDiagnosis, SeesANewlineThatAnEditorAdded) {
  Captured captured;
  captured.body += '\n';
  const Diagnosis diagnosis = captured.Diagnose();
  EXPECT_EQ(diagnosis.cause, SignatureCause::kBodyChanged);
  EXPECT_THAT(diagnosis.what, HasSubstr("newline was added"));
}

TEST(SignatureDiagnosis, SeesABodyThatWasParsedAndWrittenAgain) {
  Captured captured;
  captured.body = R"({"test":2432232314})";
  EXPECT_EQ(captured.Diagnose().cause, SignatureCause::kBodyChanged);
  Captured pretty;
  pretty.body = R"({"text":"a \" b , c"})";
  pretty.SignWith(*Base64Decode(kKey1.substr(6)));
  pretty.body = "{\n  \"text\": \"a \\\" b , c\"\n}";
  EXPECT_THAT(pretty.Diagnose().what, HasSubstr("blanks were added"));
}

TEST(SignatureDiagnosis, TellsTheClockAndByHowMuch) {
  Captured captured;
  captured.now = At(kTime1 + 4000);
  EXPECT_EQ(captured.Diagnose().cause, SignatureCause::kClock);
  EXPECT_THAT(captured.Diagnose().what, HasSubstr("4000 s old"));
  captured.now = At(kTime1 - 301);
  EXPECT_THAT(captured.Diagnose().what, HasSubstr("301 s ahead"));
}

TEST(SignatureDiagnosis, SeesASenderThatUsesThePrefixAsKey) {
  Captured whole;
  whole.SignWith(kKey1);
  EXPECT_EQ(whole.Diagnose().cause, SignatureCause::kPrefixPasted);
  Captured undecoded;
  undecoded.SignWith(kKey1.substr(6));
  EXPECT_THAT(undecoded.Diagnose().what, HasSubstr("without decoding"));
}

TEST(SignatureDiagnosis, SeesAVersionLabelGluedToTheSecret) {
  EXPECT_EQ(Captured().Diagnose("v1," + std::string(kKey1)).cause, SignatureCause::kPrefixPasted);
  EXPECT_EQ(Captured().Diagnose("whsec_short").cause, SignatureCause::kSecretUnusable);
}

TEST(SignatureDiagnosis, NamesTheSchemeThatWasUsedInstead) {
  Captured stripe;
  stripe.headers = {{"Stripe-Signature", "t=1492774577,v1=88a0"}};
  EXPECT_EQ(stripe.Diagnose().cause, SignatureCause::kWrongScheme);
  EXPECT_THAT(stripe.Diagnose().what, HasSubstr("Stripe-Signature"));
  Captured github;
  github.headers = {{"X-Hub-Signature-256", "sha256=00"}};
  EXPECT_THAT(github.Diagnose().remedy, HasSubstr("signature = \"github\""));
  Captured standard;
  standard.scheme = WebhookScheme::kGithub;
  EXPECT_THAT(standard.Diagnose(kGithubSecret).remedy, HasSubstr("\"standard\""));
}

TEST(SignatureDiagnosis, TellsSymmetricFromAsymmetric) {
  EXPECT_EQ(Captured().Diagnose(kSeed).cause, SignatureCause::kWrongScheme);
  Captured asymmetric;
  asymmetric.headers[2].second = "v1a,AAAA";
  EXPECT_THAT(asymmetric.Diagnose().what, HasSubstr("signed with Ed25519"));
}

TEST(SignatureDiagnosis, SaysWhichHeaderRuleIsBroken) {
  Captured captured;
  captured.headers.erase(captured.headers.begin());
  EXPECT_EQ(captured.Diagnose().cause, SignatureCause::kHeaders);
}

TEST(SignatureDiagnosis, SeesAGithubSecretThatWasDecoded) {
  Captured captured;
  captured.scheme = WebhookScheme::kGithub;
  captured.headers = {{"X-Hub-Signature-256",
                       "sha256=" + HexEncode(HmacSha256(*Base64Decode(kKey1.substr(6)), captured.body))}};
  EXPECT_EQ(captured.Diagnose(kKey1).cause, SignatureCause::kWrongScheme);
}

TEST(SignatureDiagnosis, NeverShowsASecretOrARightSignature) {
  Captured captured;
  captured.body += '\n';
  for (const std::string_view secret : {kKey1, kKey2, kSeed}) {
    const Diagnosis diagnosis = captured.Diagnose(secret);
    EXPECT_THAT(diagnosis.what + diagnosis.remedy, Not(HasSubstr(std::string(secret.substr(6)))));
    EXPECT_THAT(diagnosis.what + diagnosis.remedy, Not(HasSubstr(std::string(kSignature1.substr(3)))));
  }
}

}  // namespace
}  // namespace tw::crypto
