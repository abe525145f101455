// Signatures of webhooks, both ways: Standard Webhooks 1.0.0 (v1 = HMAC-SHA256, v1a = Ed25519) and GitHub's
// X-Hub-Signature-256. Always over the raw bytes. Values only, any thread. Facts: signing.md sections A1 to
// A3.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace tw::crypto {

enum class WebhookScheme { kStandard, kGithub };

inline constexpr std::string_view kWebhookIdHeader = "webhook-id";
inline constexpr std::string_view kWebhookTimestampHeader = "webhook-timestamp";
inline constexpr std::string_view kWebhookSignatureHeader = "webhook-signature";
inline constexpr std::string_view kGithubSignatureHeader = "X-Hub-Signature-256";
// How far a timestamp may lie from the verifier's clock, both ways (the reference libraries' value).
inline constexpr std::chrono::seconds kSignatureTolerance{300};

class WebhookKey {
 public:
  enum class Kind { kHmac, kEd25519, kEd25519Public, kGithub };

  // kStandard: "whsec_" + base64 of 24 to 64 bytes, or "whsk_" + base64 of a 32-byte seed or seed and public
  // half (64 bytes). kGithub: text of at least 24 bytes. Error: kConfig saying what is wrong, never showing
  // the text.
  static Result<WebhookKey> ForSigning(std::string_view text, WebhookScheme scheme);
  // The same and "whpk_" + base64 of an Ed25519 public key.
  static Result<WebhookKey> ForVerifying(std::string_view text, WebhookScheme scheme);

  Kind kind() const { return kind_; }
  // "whpk_..." of an Ed25519 key, for the receiver; empty for the symmetric kinds.
  std::string PublicText() const;
  std::string_view bytes() const { return bytes_.Reveal(); }  // HMAC key or seed
  std::string_view public_bytes() const { return public_bytes_; }

 private:
  WebhookKey(Kind kind, Secret bytes, std::string public_bytes)
      : kind_(kind), bytes_(std::move(bytes)), public_bytes_(std::move(public_bytes)) {}

  Kind kind_;
  Secret bytes_;
  std::string public_bytes_;
};

// Can this be a webhook-id? 1 to 64 printable ASCII characters, no blank and no dot: it stands in a header,
// and a dot ends it in what is signed.
bool IsWebhookId(std::string_view id);

// What Standard Webhooks signs: id, timestamp and body joined by dots.
std::string StandardContent(std::string_view id, std::string_view timestamp, std::string_view body);
// One "v1,..." entry under a raw HMAC key.
std::string StandardV1(std::string_view key, std::string_view content);
// The value of webhook-signature: one entry a key, in order, joined by blanks. `keys`: kHmac and kEd25519.
std::string SignStandard(std::span<const WebhookKey> keys, std::string_view id, std::int64_t timestamp,
                         std::string_view body);
// The value of X-Hub-Signature-256. The header has room for one signature only.
std::string SignGithub(const WebhookKey& key, std::string_view body);

enum class SignatureVerdict {
  kValid,
  kMissing,    // a needed header is missing or empty
  kRepeated,   // a needed header comes twice
  kMalformed,  // timestamp, id or signature is not of the scheme's form
  kTooOld,
  kTooNew,
  kMismatch,  // well-formed, but made with none of the keys over these bytes
};
std::string_view SignatureVerdictText(SignatureVerdict verdict);

using HeaderView = std::pair<std::string_view, std::string_view>;  // name in any case, value

// Does any entry fit any key? `headers` is the whole head, so that repeated fields are seen. Keys of the
// other scheme are ignored; without a key nothing is valid. The time taken does not tell how much of a
// signature was right.
SignatureVerdict VerifyWebhook(WebhookScheme scheme, std::span<const WebhookKey> keys,
                               std::span<const HeaderView> headers, std::string_view body, SystemTime now);

}  // namespace tw::crypto
