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
  // Signed as `signed_body`, which came in as `received`.
  Diagnosis Changed(std::string_view signed_body, std::string_view received) {
    body = signed_body;
    SignWith(*Base64Decode(kKey1.substr(6)));
    body = received;
    return Diagnose();
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

TEST(SignatureDiagnosis, SeesWhichLibraryEscapedTheTextOtherwise) {
  const std::string_view go = R"({"User":"a\u003cb\u003e \u0026 \u2028 \"q\" \\ \n ë 😀","Roles":null})";
  const std::string_view fewest = "{\"User\":\"a<b> & \u2028 \\\"q\\\" \\\\ \\n ë 😀\",\"Roles\":null}";
  const std::string_view python =
      R"({"User": "a<b> & \u2028 \"q\" \\ \n \u00eb \ud83d\ude00", "Roles": null})";
  const std::string_view php = R"({"User":"a<b> & \u2028 \"q\" \\ \n \u00eb \ud83d\ude00","Roles":null})";
  const std::string_view originals[] = {go, fewest, python};
  const std::string_view copies[] = {go, fewest, python, php};
  for (const std::string_view original : originals) {
    for (const std::string_view copy : copies) {
      if (copy == original) continue;
      const Diagnosis diagnosis = Captured().Changed(original, copy);
      EXPECT_EQ(diagnosis.cause, SignatureCause::kBodyChanged) << original << " as " << copy;
      EXPECT_THAT(diagnosis.what, HasSubstr("parsed and written again"));
    }
  }
  EXPECT_EQ(Captured().Changed(R"({"a":"b/c"})", R"({"a":"b\/c"})").cause, SignatureCause::kBodyChanged);
  EXPECT_EQ(Captured().Changed(R"({"a":"b"})", R"({"a":"c"})").cause, SignatureCause::kWrongSecret);
}

TEST(SignatureDiagnosis, StandsTextThatIsNoJson) {
  for (const std::string_view text :
       {"{", "[", "{\"", "{\"\\", "{\"\\u", "{\"\\ud83d", "{\"\\ud83d\\u0041\"}", "[\"\xff\xc3\"]",
        "{\"a\":\"\xf0\x9f\"}", "[]]", "[1,2"}) {
    EXPECT_EQ(Captured().Changed("{}", text).cause, SignatureCause::kWrongSecret) << text;
  }
}

TEST(SignatureDiagnosis, LeavesOutWhatFollowsTheBodyInTheCapture) {
  Captured captured;
  captured.headers.emplace_back("Content-Length", std::to_string(captured.body.size()));
  captured.body += "\n";
  EXPECT_EQ(captured.Diagnose().cause, SignatureCause::kNone);
  EXPECT_THAT(captured.Diagnose().what, HasSubstr("left out"));
  captured.now = At(kTime1 + 4000);
  EXPECT_EQ(captured.Diagnose().cause, SignatureCause::kClock);
}

TEST(SignatureDiagnosis, ComparesTheBodyWithItsToldLength) {
  Captured cut;
  cut.headers.emplace_back("Content-Length", std::to_string(cut.body.size()));
  cut.body.pop_back();
  EXPECT_EQ(cut.Diagnose().cause, SignatureCause::kBodyChanged);
  EXPECT_THAT(cut.Diagnose().what, HasSubstr("Content-Length says"));
  cut.body.clear();
  EXPECT_THAT(cut.Diagnose().what, HasSubstr("the body is missing"));
  Captured other;
  other.headers.emplace_back("Content-Length", std::to_string(other.body.size()));
  EXPECT_EQ(other.Diagnose(kKey2).cause, SignatureCause::kWrongSecret);
}

TEST(SignatureDiagnosis, SeesASignatureThatIsSpeltOrPutTogetherOtherwise) {
  const std::string key = *Base64Decode(kKey1.substr(6));
  const std::string sent = std::to_string(kTime1);
  const auto with = [](std::string signature) {
    Captured captured;
    captured.headers[2].second = std::move(signature);
    return captured.Diagnose();
  };
  const std::string content = StandardContent(kId1, sent, kBody1);
  EXPECT_THAT(with("v1," + HexEncode(HmacSha256(key, content))).what, HasSubstr("in hex"));
  std::string url_safe(kSignature1.substr(0, kSignature1.find('=')));
  std::replace(url_safe.begin(), url_safe.end(), '+', '-');
  std::replace(url_safe.begin(), url_safe.end(), '/', '_');
  EXPECT_THAT(with(url_safe).what, HasSubstr("URL-safe"));
  EXPECT_THAT(with(StandardV1(key, kBody1)).what, HasSubstr("the body alone"));
  EXPECT_THAT(with(StandardV1(key, StandardContent(sent, kId1, kBody1))).what,
              HasSubstr("put the signed parts"));
  EXPECT_THAT(with(StandardV1(key, sent + "." + std::string(kBody1))).what,
              HasSubstr("put the signed parts"));
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
  EXPECT_EQ(captured.Diagnose().what, "webhook-id is missing or empty");
  captured.headers.clear();
  EXPECT_EQ(captured.Diagnose().what,
            "webhook-id, webhook-timestamp, webhook-signature are missing or empty");
  const auto with = [](std::size_t header, std::string value) {
    Captured one;
    one.headers[header].second = std::move(value);
    return one.Diagnose().what;
  };
  EXPECT_EQ(with(0, "evt.1"), "webhook-id holds a dot");
  EXPECT_EQ(with(1, "1614265330000"), "webhook-timestamp is not in seconds");
  EXPECT_EQ(with(1, "2021-02-25"), "webhook-timestamp is not a whole number");
  EXPECT_EQ(with(2, std::string(kSignature1.substr(3))),
            "webhook-signature has no version in front of the signature");
  Captured twice;
  twice.headers.emplace_back("Webhook-Id", "other");
  EXPECT_EQ(twice.Diagnose().what, "webhook-id comes 2 times");
  Captured github;
  github.scheme = WebhookScheme::kGithub;
  github.headers = {{"X-Hub-Signature-256", "00"}};
  EXPECT_EQ(github.Diagnose(kGithubSecret).what, "X-Hub-Signature-256 does not begin with sha256=");
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
