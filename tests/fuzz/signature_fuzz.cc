// Signature headers and keys. An input is five lines (id, timestamp, webhook-signature, X-Hub-Signature-256,
// key text) and a body. A request is valid only when a signature made anew stands in its header.
#include <algorithm>
#include <charconv>
#include <optional>

#include "crypto/signature_diagnosis.h"
#include "crypto/webhook_signature.h"
#include "fuzz.h"

namespace {

using namespace tw;
using namespace tw::crypto;

// Test vectors of signing.md A3.
constexpr std::string_view kHmac = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr std::string_view kEd25519 =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
constexpr std::string_view kGithub = "It's a Secret to Everybody";
constexpr std::int64_t kNow = 1614265330;

std::vector<WebhookKey> Keys(std::initializer_list<std::string_view> texts, WebhookScheme scheme) {
  std::vector<WebhookKey> keys;
  for (const std::string_view text : texts) keys.push_back(*WebhookKey::ForVerifying(text, scheme));
  return keys;
}

struct Request {
  std::string_view id, timestamp, list, hub, body;
  std::vector<HeaderView> headers;
};

void CheckStandard(const Request& request) {
  static const auto kKeys = Keys({kHmac, kEd25519}, WebhookScheme::kStandard);
  const SystemTime now{std::chrono::seconds(kNow)};
  const auto verdict = VerifyWebhook(WebhookScheme::kStandard, kKeys, request.headers, request.body, now);
  FUZZ_CHECK(verdict == VerifyWebhook(WebhookScheme::kStandard, kKeys, request.headers, request.body, now));
  if (verdict != SignatureVerdict::kValid) return;
  std::int64_t seconds = 0;
  std::from_chars(request.timestamp.data(), request.timestamp.data() + request.timestamp.size(), seconds);
  FUZZ_CHECK(seconds >= kNow - 300 && seconds <= kNow + 300);
  FUZZ_CHECK(request.id.find('.') == std::string_view::npos);
  // Timestamps may carry leading zeros; those are signed as they are written.
  if (request.timestamp != std::to_string(seconds)) return;
  const std::string expected = SignStandard(kKeys, request.id, seconds, request.body);
  const auto entries = Split(request.list, ' ');
  const auto ours = Split(expected, ' ');
  FUZZ_CHECK(std::find_first_of(entries.begin(), entries.end(), ours.begin(), ours.end()) != entries.end());
}

void CheckGithub(const Request& request) {
  static const auto kKeys = Keys({kGithub}, WebhookScheme::kGithub);
  const auto verdict = VerifyWebhook(WebhookScheme::kGithub, kKeys, request.headers, request.body, {});
  FUZZ_CHECK((verdict == SignatureVerdict::kValid) == (request.hub == SignGithub(kKeys[0], request.body)));
}

void CheckDiagnosis(WebhookScheme scheme, std::string_view secret, const Request& request) {
  const Secret secrets[] = {Secret(std::string(secret))};
  const SystemTime now{std::chrono::seconds(kNow)};
  const Diagnosis diagnosis = DiagnoseSignature(scheme, secrets, request.headers, request.body, now);
  FUZZ_CHECK(!diagnosis.what.empty() && fuzz::Harmless(diagnosis.what) && fuzz::Harmless(diagnosis.remedy));
  FUZZ_CHECK(diagnosis.what.find(secret) == std::string::npos &&
             diagnosis.remedy.find(secret) == std::string::npos);
}

// Whatever is signed verifies, and does not after any change.
void CheckSigning(const Request& request) {
  static const auto kKeys = Keys({kHmac, kEd25519}, WebhookScheme::kStandard);
  if (request.id.empty() || request.id.find('.') != std::string_view::npos) return;
  const std::string timestamp = std::to_string(kNow);
  const SystemTime now{std::chrono::seconds(kNow)};
  const std::string list = SignStandard(kKeys, request.id, kNow, request.body);
  std::vector<HeaderView> headers = {
      {"Webhook-Id", request.id}, {"Webhook-Timestamp", timestamp}, {"Webhook-Signature", list}};
  const auto verify = [&](std::string_view body) {
    return VerifyWebhook(WebhookScheme::kStandard, kKeys, headers, body, now);
  };
  FUZZ_CHECK(verify(request.body) == SignatureVerdict::kValid);
  FUZZ_CHECK(verify(std::string(request.body) + "\n") == SignatureVerdict::kMismatch);
  const std::string other_id = std::string(request.id) + "x";
  headers[0].second = other_id;
  FUZZ_CHECK(verify(request.body) == SignatureVerdict::kMismatch);
}

void CheckKeyText(std::string_view text) {
  for (const WebhookScheme scheme : {WebhookScheme::kStandard, WebhookScheme::kGithub}) {
    const auto signing = WebhookKey::ForSigning(text, scheme);
    const auto verifying = WebhookKey::ForVerifying(text, scheme);
    const auto marked = WebhookKey::ForVerifying(fuzz::WithCanary(text), scheme);
    FUZZ_CHECK(marked || !fuzz::TellsCanary(marked.error()));
    if (!verifying) {
      FUZZ_CHECK(!signing && fuzz::WellWorded(verifying.error()));
      continue;
    }
    if (signing && signing->kind() == WebhookKey::Kind::kEd25519) {
      const auto half = WebhookKey::ForVerifying(signing->PublicText(), scheme);
      FUZZ_CHECK(half && half->public_bytes() == signing->public_bytes());
      FUZZ_CHECK(!WebhookKey::ForSigning(signing->PublicText(), scheme));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::AsText(data, size);
  Request request;
  request.id = fuzz::TakeLine(rest);
  request.timestamp = fuzz::TakeLine(rest);
  request.list = fuzz::TakeLine(rest);
  request.hub = fuzz::TakeLine(rest);
  const std::string_view key = fuzz::TakeLine(rest);
  request.body = rest;
  request.headers = {{kWebhookIdHeader, request.id},
                     {kWebhookTimestampHeader, request.timestamp},
                     {kWebhookSignatureHeader, request.list},
                     {kGithubSignatureHeader, request.hub}};
  CheckStandard(request);
  CheckGithub(request);
  CheckSigning(request);
  CheckKeyText(key);
  CheckDiagnosis(WebhookScheme::kStandard, kHmac, request);
  CheckDiagnosis(WebhookScheme::kGithub, kGithub, request);
  return 0;
}
