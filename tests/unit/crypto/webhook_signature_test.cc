#include "crypto/webhook_signature.h"

#include <gmock/gmock.h>

#include <optional>

#include "base/text.h"
#include "signature_vectors.h"

namespace tw::crypto {
namespace {

using testing::HasSubstr;
using testing::Not;

WebhookKey Key(std::string_view text, WebhookScheme scheme = WebhookScheme::kStandard) {
  auto key = WebhookKey::ForVerifying(text, scheme);
  EXPECT_TRUE(key) << key.error().message;
  return *key;
}

std::string Sign(std::string_view key, std::string_view body, std::string_view id = kId1,
                 std::int64_t time = kTime1) {
  const WebhookKey keys[] = {Key(key)};
  return SignStandard(keys, id, time, body);
}

struct Request {
  std::optional<std::string> id{kId1};
  std::optional<std::string> timestamp{std::to_string(kTime1)};
  std::optional<std::string> signature{kSignature1};
  std::string body{kBody1};
  SystemTime now = At(kTime1);
  std::vector<HeaderView> more;

  SignatureVerdict Verify(std::string_view key = kKey1) const {
    std::vector<HeaderView> headers;
    if (id) headers.emplace_back("Webhook-Id", *id);
    if (timestamp) headers.emplace_back("webhook-timestamp", *timestamp);
    if (signature) headers.emplace_back("WEBHOOK-SIGNATURE", *signature);
    headers.insert(headers.end(), more.begin(), more.end());
    const WebhookKey keys[] = {Key(key)};
    return VerifyWebhook(WebhookScheme::kStandard, keys, headers, body, now);
  }
};

TEST(StandardWebhooks, SignsTheSymmetricVectors) {
  EXPECT_EQ(Sign(kKey1, kBody1), kSignature1);
  EXPECT_EQ(Sign(kKey2, R"({"email":"test@example.com","username":"test_user"})",
                 "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1649367553),
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
  EXPECT_EQ(Sign(kKey1, ""), "v1,v48jdbgvh29KJz2Qc+ghw8G6vG3nAKnujWBg8oM/62A=");
  EXPECT_EQ(Sign(kKey1, "{\"user\":\"zo\u00eb\",\"emoji\":\"\U0001F511\"}"),
            "v1,My05yOYPbOc9zYHcBpgA2T3Dn2TjhsDzjA783nIMnd0=");
  EXPECT_EQ(Sign(kKey1, std::string_view("\x00\xff\x0a", 3)),
            "v1,39b0ld9uZvtqJHIOzSrU5UqLr3HwNY6kXWgy9k+judg=");
  EXPECT_EQ(Sign(kKey1, kOut), "v1,i6vbZId3Ak4mBrOs5sHhZWiGyHWLMg3iZqFB7bGCEvc=");
  EXPECT_EQ(Sign(kKey1, kIn), "v1,u1sH4PExPspzX5aa0CrMSDOpquiOQ85YUr841uokcsA=");
}

TEST(StandardWebhooks, ReadsKeysWithoutTheirPadding) {
  const std::string one_pad = *Base64Decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaQ");  // S without its spare bits
  EXPECT_EQ(StandardV1(one_pad, StandardContent(kId1, std::to_string(kTime1), kBody1)),
            "v1,LVOXivKoo4FWasi/IaHvzhE/u+7/cu2AME+zS/nXqzk=");
  EXPECT_EQ(Sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr", kBody1),
            "v1,yK2tMbA6BHPrMEJ1lLv7UlJJbgFoqGenJkiajZ29evg=");
}

TEST(StandardWebhooks, SignsTheAsymmetricVectors) {
  EXPECT_EQ(Sign(kSeed, kBody1),
            "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==");
  EXPECT_EQ(Sign(kPair, kBody1),
            "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==");
}

TEST(StandardWebhooks, DerivesThePublicKeyForTheReceiver) {
  EXPECT_EQ(Key(kSeed).PublicText(), "whpk_ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g=");
  EXPECT_EQ(Key(kPair).PublicText(), "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=");
  EXPECT_EQ(Key(kKey1).PublicText(), "");
}

TEST(StandardWebhooks, SignsWithEverySecretDuringARotation) {
  const WebhookKey keys[] = {Key(kKey1), Key(kKey2)};
  EXPECT_EQ(
      SignStandard(keys, kId1, kTime1, kOut),
      "v1,i6vbZId3Ak4mBrOs5sHhZWiGyHWLMg3iZqFB7bGCEvc= v1,ca+IfXhdWd5TntuN7MtRavrT6wcv3poDHzJFVdqBtpE=");
}

TEST(StandardWebhooks, AcceptsARightSignature) {
  EXPECT_EQ(Request().Verify(), SignatureVerdict::kValid);
}

TEST(StandardWebhooks, AcceptsAnEd25519SignatureUnderPrivateOrPublicKey) {
  Request request;
  request.signature = Sign(kSeed, kBody1);
  EXPECT_EQ(request.Verify(kSeed), SignatureVerdict::kValid);
  EXPECT_EQ(request.Verify("whpk_ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g="), SignatureVerdict::kValid);
  EXPECT_EQ(request.Verify(kPair), SignatureVerdict::kMismatch);
  request.body += '\n';
  EXPECT_EQ(request.Verify(kSeed), SignatureVerdict::kMismatch);
}

TEST(StandardWebhooks, OneRightEntryInTheListSuffices) {
  Request request;
  request.signature =
      "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= " +
      std::string(kSignature1) + " v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
  EXPECT_EQ(request.Verify(), SignatureVerdict::kValid);
  request.signature = "garbage " + std::string(kSignature1);
  EXPECT_EQ(request.Verify(), SignatureVerdict::kValid);
  request.signature = Sign(kSeed, kBody1) + " " + std::string(kSignature1);
  EXPECT_EQ(request.Verify(), SignatureVerdict::kValid);
  EXPECT_EQ(request.Verify(kSeed), SignatureVerdict::kValid);
}

TEST(StandardWebhooks, AnyConfiguredSecretMayHaveSigned) {
  const WebhookKey keys[] = {Key(kKey2), Key(kKey1)};
  const std::string time = std::to_string(kTime1);
  const HeaderView headers[] = {
      {"webhook-id", kId1}, {"webhook-timestamp", time}, {"webhook-signature", kSignature1}};
  EXPECT_EQ(VerifyWebhook(WebhookScheme::kStandard, keys, headers, kBody1, At(kTime1)),
            SignatureVerdict::kValid);
  EXPECT_EQ(VerifyWebhook(WebhookScheme::kStandard, {}, headers, kBody1, At(kTime1)),
            SignatureVerdict::kMismatch);
}

TEST(StandardWebhooks, RefusesTheWrongSignaturesOfTheReferenceTests) {
  Request request;
  request.signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=";
  EXPECT_EQ(request.Verify(), SignatureVerdict::kMismatch);
  Request other;
  other.id = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
  other.timestamp = "1649367553";
  other.body = R"({"email":"test@example.com","username":"test_user"})";
  other.signature = "v1,R3PTzyfHASBKHH98a7yexTwaJ4yNIcGhFQc1yuN+BPU=";
  other.now = At(1649367553);
  EXPECT_EQ(other.Verify(kKey2), SignatureVerdict::kMismatch);
}

TEST(StandardWebhooks, RefusesAnyChangeOfWhatWasSigned) {
  Request body;
  body.body[2] ^= 1;
  EXPECT_EQ(body.Verify(), SignatureVerdict::kMismatch);
  Request newline;
  newline.body += '\n';
  EXPECT_EQ(newline.Verify(), SignatureVerdict::kMismatch);
  Request id;
  *id.id += 'x';
  EXPECT_EQ(id.Verify(), SignatureVerdict::kMismatch);
  Request time;
  time.timestamp = std::to_string(kTime1 + 1);
  EXPECT_EQ(time.Verify(), SignatureVerdict::kMismatch);
  EXPECT_EQ(Request().Verify(kKey2), SignatureVerdict::kMismatch);
}

TEST(StandardWebhooks, AllowsThreeHundredSecondsBothWaysAndNotOneMore) {
  Request request;
  request.now = At(kTime1 + 300);
  EXPECT_EQ(request.Verify(), SignatureVerdict::kValid);
  request.now = At(kTime1 + 301);
  EXPECT_EQ(request.Verify(), SignatureVerdict::kTooOld);
  request.now = At(kTime1 - 300);
  EXPECT_EQ(request.Verify(), SignatureVerdict::kValid);
  request.now = At(kTime1 - 301);
  EXPECT_EQ(request.Verify(), SignatureVerdict::kTooNew);
}

TEST(StandardWebhooks, NeedsEachHeaderExactlyOnce) {
  for (auto member : {&Request::id, &Request::timestamp, &Request::signature}) {
    Request missing;
    (missing.*member).reset();
    EXPECT_EQ(missing.Verify(), SignatureVerdict::kMissing);
    Request empty;
    empty.*member = "";
    EXPECT_EQ(empty.Verify(), SignatureVerdict::kMissing);
  }
  for (const std::string_view name : {"webhook-id", "Webhook-Timestamp", "webhook-signature"}) {
    Request twice;
    twice.more.emplace_back(name, "1");
    EXPECT_EQ(twice.Verify(), SignatureVerdict::kRepeated) << name;
  }
}

class BadEntry : public testing::TestWithParam<std::string> {};

TEST_P(BadEntry, IsRefused) {
  Request request;
  request.signature = GetParam();
  EXPECT_NE(request.Verify(), SignatureVerdict::kValid);
}

INSTANTIATE_TEST_SUITE_P(
    StandardWebhooks, BadEntry,
    testing::Values("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",     // no version, no comma
                    "v1",                                               //
                    "v1,",                                              //
                    "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",  // wrong version
                    "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
                    "V1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
                    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE",    // truncated
                    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1",      //
                    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=x",  // more characters
                    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF=",   // not canonical
                    "v1, g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
                    "v1,83484cf52b04f8e4cf2531adfed9882ad4b2665137b852442d594d20e2c9d4e1",  // hex
                    ","));

TEST(StandardWebhooks, RefusesNonCanonicalEd25519Text) {
  Request request;
  request.signature = Sign(kSeed, kBody1);
  while (request.signature->ends_with('=')) request.signature->pop_back();
  EXPECT_EQ(request.Verify(kSeed), SignatureVerdict::kMismatch);
}

TEST(StandardWebhooks, RefusesTimestampsThatAreNotPlainDigits) {
  for (const std::string_view text : {"+1614265330", " 1614265330", "1614265330 ", "1614265330.0", "1e9",
                                      "-1614265330", "16142653300000000000", "0x6037b5f2", "1614265330x"}) {
    Request request;
    request.timestamp = std::string(text);
    const WebhookKey keys[] = {Key(kKey1)};
    request.signature = StandardV1(keys[0].bytes(), StandardContent(kId1, text, kBody1));
    EXPECT_EQ(request.Verify(), SignatureVerdict::kMalformed) << text;
  }
}

TEST(StandardWebhooks, RefusesAnIdWithADotSinceItCouldHideTheTimestamp) {
  Request request;
  request.id = "msg.1";
  request.signature = Sign(kKey1, kBody1, "msg.1");
  EXPECT_EQ(request.Verify(), SignatureVerdict::kMalformed);
}

struct BadSecret {
  std::string text;
  std::string_view reason;
};

class SecretText : public testing::TestWithParam<BadSecret> {};

TEST_P(SecretText, IsRefusedWithItsReasonAndWithoutBeingShown) {
  const auto key = WebhookKey::ForSigning(GetParam().text, WebhookScheme::kStandard);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(key.error().message, HasSubstr(std::string(GetParam().reason)));
  if (GetParam().text.size() > 12) {
    EXPECT_THAT(key.error().message + key.error().hint, Not(HasSubstr(GetParam().text.substr(8))));
  }
}

INSTANTIATE_TEST_SUITE_P(
    StandardWebhooks, SecretText,
    testing::Values(BadSecret{"", "it is empty"}, BadSecret{"whsec_", "the key would be empty"},
                    BadSecret{"whsk_", "the key would be empty"},
                    BadSecret{"v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "version label \"v1,\" is glued"},
                    BadSecret{"v1a,whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=",
                              "version label \"v1a,\""},
                    BadSecret{"whsec_whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "prefix comes twice"},
                    BadSecret{"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "neither with whsec_ nor with whsk_"},
                    BadSecret{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "has 23 bytes, 24 to 64"},
                    BadSecret{"whsec_" + Base64Encode(std::string(65, 'k')), "has 65 bytes, 24 to 64"},
                    BadSecret{"whsec_not base64 at all, not base64", "not standard base64"},
                    BadSecret{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_", "not standard base64"},
                    BadSecret{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", "blank or a newline"},
                    BadSecret{"whsk_" + Base64Encode(std::string(33, 'k')), "has 33 bytes"},
                    BadSecret{"whsk_" + Base64Encode(std::string(64, 'k')), "public half does not belong"},
                    BadSecret{"whpk_ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g=",
                              "public key (whpk_), which cannot sign"}));

TEST(StandardWebhooks, TakesKeysAtBothEndsOfTheAllowedLength) {
  EXPECT_TRUE(
      WebhookKey::ForSigning("whsec_" + Base64Encode(std::string(24, 'k')), WebhookScheme::kStandard));
  EXPECT_TRUE(
      WebhookKey::ForSigning("whsec_" + Base64Encode(std::string(64, 'k')), WebhookScheme::kStandard));
}

SignatureVerdict VerifyGithub(std::string_view secret, std::string_view value, std::string_view body) {
  const WebhookKey keys[] = {Key(secret, WebhookScheme::kGithub)};
  const HeaderView headers[] = {{"x-hub-signature-256", value}};
  return VerifyWebhook(WebhookScheme::kGithub, keys, headers, body, At(0));
}

TEST(GithubSignature, SignsTheVectors) {
  const WebhookKey key = Key(kGithubSecret, WebhookScheme::kGithub);
  EXPECT_EQ(SignGithub(key, "Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
  EXPECT_EQ(SignGithub(key, kOut), "sha256=1348b60bfca277fc15bd45e9d73dc744cd17f76c11037b7378a3f0e6480cb0cf");
  EXPECT_EQ(SignGithub(key, kIn), "sha256=35b976c463638544284f06091eb17885a799a3ea7c43772f0e84e1d3dedb7156");
}

TEST(GithubSignature, VerifiesOnlyTheExactLowerCaseText) {
  constexpr std::string_view kRight =
      "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  EXPECT_EQ(VerifyGithub(kGithubSecret, kRight, "Hello, World!"), SignatureVerdict::kValid);
  EXPECT_EQ(VerifyGithub(kGithubSecret, kRight, "Hello, World!\n"), SignatureVerdict::kMismatch);
  EXPECT_EQ(VerifyGithub("another secret of enough length", kRight, "Hello, World!"),
            SignatureVerdict::kMismatch);
  EXPECT_EQ(
      VerifyGithub(kGithubSecret, "sha256=757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17",
                   "Hello, World!"),
      SignatureVerdict::kMismatch);
  EXPECT_EQ(VerifyGithub(kGithubSecret, kRight.substr(7), "Hello, World!"), SignatureVerdict::kMalformed);
  EXPECT_EQ(VerifyGithub(kGithubSecret, "sha1=126f2c800419c60137ce748d7672e77b65cf16d6", "Hello, World!"),
            SignatureVerdict::kMalformed);
  EXPECT_EQ(VerifyGithub(kGithubSecret, kRight.substr(0, 70), "Hello, World!"), SignatureVerdict::kMismatch);
  EXPECT_EQ(VerifyGithub(kGithubSecret, "", "Hello, World!"), SignatureVerdict::kMissing);
}

TEST(GithubSignature, RefusesASecretThatIsTooShort) {
  const auto key = WebhookKey::ForSigning("0123456789abcdef", WebhookScheme::kGithub);
  ASSERT_FALSE(key);
  EXPECT_THAT(key.error().message, HasSubstr("it has 16 bytes, at least 24"));
}

TEST(GithubSignature, IgnoresKeysOfTheOtherScheme) {
  const WebhookKey keys[] = {Key(kKey1)};
  const HeaderView headers[] = {{"X-Hub-Signature-256", "sha256=00"}};
  EXPECT_EQ(VerifyWebhook(WebhookScheme::kGithub, keys, headers, "", At(0)), SignatureVerdict::kMismatch);
}

TEST(WebhookId, IsPrintableShortAndWithoutDots) {
  EXPECT_TRUE(IsWebhookId("evt_0123"));
  EXPECT_TRUE(IsWebhookId(std::string(64, 'a')));
  EXPECT_FALSE(IsWebhookId(std::string(65, 'a')));
  for (const std::string_view id : {"", "a.b", "a b", "a\r\nX: 1", "a\x7f", "\xc3\xa9"})
    EXPECT_FALSE(IsWebhookId(id));
}

}  // namespace
}  // namespace tw::crypto
