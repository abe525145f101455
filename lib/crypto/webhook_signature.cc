#include "crypto/webhook_signature.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/ed25519.h"

namespace tw::crypto {
namespace {

constexpr std::string_view kGithubPrefix = "sha256=";
constexpr std::string_view kV1 = "v1,";
constexpr std::string_view kV1a = "v1a,";
constexpr std::size_t kLongestTimestamp = 12;  // digits
constexpr std::size_t kLongestId = 64;
constexpr std::size_t kMostEntries = 32;  // more signatures than anyone rotates; bounds the work per request

std::string StandardV1a(std::string_view seed, std::string_view content) {
  return std::string(kV1a) + Base64Encode(Ed25519Sign(seed, content));
}

bool IsTimestamp(std::string_view text) {
  return !text.empty() && text.size() <= kLongestTimestamp &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The only value of a header; tells missing or empty from repeated.
SignatureVerdict OnlyHeader(std::span<const HeaderView> headers, std::string_view name,
                            std::string_view& value) {
  const std::string wanted = AsciiLower(name);
  int count = 0;
  for (const auto& [key, text] : headers) {
    if (AsciiLower(key) != wanted) continue;
    value = text;
    ++count;
  }
  if (count > 1) return SignatureVerdict::kRepeated;
  return count == 0 || value.empty() ? SignatureVerdict::kMissing : SignatureVerdict::kValid;
}

bool MatchesV1a(std::string_view text, std::string_view public_key, std::string_view content) {
  const auto signature = Base64Decode(text);
  // Encoded again, so that only one spelling of a signature passes.
  return signature && Base64Encode(*signature) == text && Ed25519Verify(public_key, *signature, content);
}

bool AnyEntryFits(std::string_view list, const WebhookKey& key, std::string_view content) {
  const bool symmetric = key.kind() == WebhookKey::Kind::kHmac;
  const std::string expected = symmetric ? StandardV1(key.bytes(), content) : std::string();
  bool fits = false;
  std::size_t seen = 0;
  for (const std::string_view entry : Split(list, ' ')) {
    if (++seen > kMostEntries) break;
    if (symmetric) {
      fits |= ConstantTimeEqual(entry, expected);
    } else if (entry.starts_with(kV1a)) {
      fits |= MatchesV1a(entry.substr(kV1a.size()), key.public_bytes(), content);
    }
  }
  return fits;
}

SignatureVerdict VerifyStandard(std::span<const WebhookKey> keys, std::span<const HeaderView> headers,
                                std::string_view body, SystemTime now) {
  std::string_view id;
  std::string_view timestamp;
  std::string_view list;
  for (const auto& [name, value] :
       {std::pair{kWebhookIdHeader, &id}, std::pair{kWebhookTimestampHeader, &timestamp},
        std::pair{kWebhookSignatureHeader, &list}}) {
    if (const auto verdict = OnlyHeader(headers, name, *value); verdict != SignatureVerdict::kValid)
      return verdict;
  }
  if (!IsTimestamp(timestamp) || id.find('.') != std::string_view::npos) return SignatureVerdict::kMalformed;
  if (list.find(',') == std::string_view::npos) return SignatureVerdict::kMalformed;
  const std::string content = StandardContent(id, timestamp, body);
  bool fits = false;
  for (const WebhookKey& key : keys) {
    if (key.kind() != WebhookKey::Kind::kGithub) fits |= AnyEntryFits(list, key, content);
  }
  if (!fits) return SignatureVerdict::kMismatch;
  // The clock comes last: only the holder of a key learns that its own clock is wrong.
  std::int64_t seconds = 0;
  std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), seconds);
  const auto ours = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  if (seconds < ours - kSignatureTolerance.count()) return SignatureVerdict::kTooOld;
  if (seconds > ours + kSignatureTolerance.count()) return SignatureVerdict::kTooNew;
  return SignatureVerdict::kValid;
}

SignatureVerdict VerifyGithub(std::span<const WebhookKey> keys, std::span<const HeaderView> headers,
                              std::string_view body) {
  std::string_view value;
  if (const auto verdict = OnlyHeader(headers, kGithubSignatureHeader, value);
      verdict != SignatureVerdict::kValid)
    return verdict;
  if (!value.starts_with(kGithubPrefix)) return SignatureVerdict::kMalformed;
  bool fits = false;
  for (const WebhookKey& key : keys) {
    if (key.kind() == WebhookKey::Kind::kGithub) fits |= ConstantTimeEqual(value, SignGithub(key, body));
  }
  return fits ? SignatureVerdict::kValid : SignatureVerdict::kMismatch;
}

}  // namespace

bool IsWebhookId(std::string_view id) {
  return !id.empty() && id.size() <= kLongestId &&
         std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c <= '~' && c != '.'; });
}

std::string StandardContent(std::string_view id, std::string_view timestamp, std::string_view body) {
  std::string content;
  content.reserve(id.size() + timestamp.size() + body.size() + 2);
  content.append(id).append(1, '.').append(timestamp).append(1, '.').append(body);
  return content;
}

std::string StandardV1(std::string_view key, std::string_view content) {
  return std::string(kV1) + Base64Encode(HmacSha256(key, content));
}

std::string SignStandard(std::span<const WebhookKey> keys, std::string_view id, std::int64_t timestamp,
                         std::string_view body) {
  const std::string content = StandardContent(id, std::to_string(timestamp), body);
  std::string list;
  for (const WebhookKey& key : keys) {
    if (!list.empty()) list += ' ';
    list += key.kind() == WebhookKey::Kind::kEd25519 ? StandardV1a(key.bytes(), content)
                                                     : StandardV1(key.bytes(), content);
  }
  return list;
}

std::string SignGithub(const WebhookKey& key, std::string_view body) {
  return std::string(kGithubPrefix) + HexEncode(HmacSha256(key.bytes(), body));
}

std::string_view SignatureVerdictText(SignatureVerdict verdict) {
  switch (verdict) {
    case SignatureVerdict::kValid:
      return "valid";
    case SignatureVerdict::kMissing:
      return "a signature header is missing or empty";
    case SignatureVerdict::kRepeated:
      return "a signature header comes more than once";
    case SignatureVerdict::kMalformed:
      return "a signature header is malformed";
    case SignatureVerdict::kTooOld:
      return "the timestamp is too old";
    case SignatureVerdict::kTooNew:
      return "the timestamp lies in the future";
    case SignatureVerdict::kMismatch:
      return "the signature fits none of the secrets";
  }
  return "unknown";
}

SignatureVerdict VerifyWebhook(WebhookScheme scheme, std::span<const WebhookKey> keys,
                               std::span<const HeaderView> headers, std::string_view body, SystemTime now) {
  return scheme == WebhookScheme::kGithub ? VerifyGithub(keys, headers, body)
                                          : VerifyStandard(keys, headers, body, now);
}

}  // namespace tw::crypto
