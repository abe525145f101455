#include "crypto/signature_diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "crypto/digest.h"

namespace tw::crypto {
namespace {

using enum SignatureCause;

std::string_view HeaderValue(std::span<const HeaderView> headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (AsciiLower(key) == AsciiLower(name)) return value;
  }
  return {};
}

// Blanks outside strings removed: what a receiver gets that parses and writes the JSON again.
std::string Compact(std::string_view json) {
  std::string out;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == ' ' || c == '\n' || c == '\r' || c == '\t')) continue;
    out += c;
    if (quoted && c == '\\' && i + 1 < json.size()) out += json[++i];
  }
  return out;
}

std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (std::size_t at = text.find(from); at != std::string_view::npos; at = text.find(from)) {
    out.append(text.substr(0, at)).append(to);
    text.remove_prefix(at + from.size());
  }
  return out.append(text);
}

struct BodyVariant {
  std::string body;
  std::string_view what;
};

std::vector<BodyVariant> Variants(std::string_view body) {
  std::vector<BodyVariant> all;
  const auto add = [&](std::string variant, std::string_view what) {
    if (variant != body) all.push_back({std::move(variant), what});
  };
  std::string_view bare = body;
  while (bare.ends_with('\n') || bare.ends_with('\r')) bare.remove_suffix(1);
  add(std::string(bare), "a newline was added at its end");
  add(std::string(body) + "\n", "the newline at its end was removed");
  add(std::string(body) + "\r\n", "the newline at its end was removed");
  add(ReplaceAll(body, "\r\n", "\n"), "its line ends were changed from LF to CRLF");
  add(ReplaceAll(ReplaceAll(body, "\r\n", "\n"), "\n", "\r\n"), "its line ends were changed from CRLF to LF");
  add(Compact(body), "blanks were added between its JSON tokens");
  add(ReplaceAll(ReplaceAll(Compact(body), "\":", "\": "), ",\"", ", \""),
      "it was parsed and written again without its blanks");
  if (body.starts_with("\xef\xbb\xbf"))
    add(std::string(body.substr(3)), "a byte order mark was put in front");
  add({}, "it was empty when it was signed");
  return all;
}

// One captured request and what it is checked against.
class Case {
 public:
  Case(WebhookScheme scheme, std::span<const HeaderView> headers, std::string_view body, SystemTime now)
      : scheme_(scheme), headers_(headers), body_(body), now_(now) {}

  SignatureVerdict Verdict(std::span<const WebhookKey> keys, std::string_view body) const {
    return VerifyWebhook(scheme_, keys, headers_, body, now_);
  }
  // Right except perhaps for the time.
  bool Fits(std::span<const WebhookKey> keys, std::string_view body) const {
    const SignatureVerdict verdict = Verdict(keys, body);
    return verdict == SignatureVerdict::kValid || verdict == SignatureVerdict::kTooOld ||
           verdict == SignatureVerdict::kTooNew;
  }

  Diagnosis Clock() const {
    std::int64_t seconds = 0;
    const std::string_view text = HeaderValue(headers_, kWebhookTimestampHeader);
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    const auto late = std::chrono::floor<std::chrono::seconds>(now_).time_since_epoch().count() - seconds;
    return {kClock,
            fmt::format("the signature is right, but its timestamp is {} s {} (allowed: {} s)",
                        late < 0 ? -late : late, late < 0 ? "ahead" : "old", kSignatureTolerance.count()),
            "compare the clocks of both machines; a captured request grows old by itself"};
  }

  std::optional<Diagnosis> OtherHeaders() const {
    const bool standard = !HeaderValue(headers_, kWebhookSignatureHeader).empty();
    const bool github = !HeaderValue(headers_, kGithubSignatureHeader).empty();
    const auto wrong = [](std::string_view found, std::string_view remedy) {
      return Diagnosis{kWrongScheme, fmt::format("the request is signed under another scheme: {}", found),
                       std::string(remedy)};
    };
    if (scheme_ == WebhookScheme::kStandard && !standard && github)
      return wrong("GitHub's X-Hub-Signature-256",
                   "set signature = \"github\", or let the sender use Standard Webhooks");
    if (scheme_ == WebhookScheme::kGithub && !github && standard)
      return wrong("Standard Webhooks", "set signature = \"standard\"");
    if (standard || github) return std::nullopt;
    for (const std::string_view name :
         {"Stripe-Signature", "X-Slack-Signature", "svix-signature", "X-Gitea-Signature", "X-Gitlab-Token",
          "X-Hub-Signature", "X-Convoy-Signature", "Signature-Input"}) {
      if (!HeaderValue(headers_, name).empty())
        return wrong(name, "only Standard Webhooks and GitHub's X-Hub-Signature-256 are understood");
    }
    return std::nullopt;
  }

  // The same bytes under keys that a sender gets by reading the secret differently.
  std::optional<Diagnosis> OtherReadings(std::string_view secret) const {
    const std::string content = StandardContent(HeaderValue(headers_, kWebhookIdHeader),
                                                HeaderValue(headers_, kWebhookTimestampHeader), body_);
    const auto signs = [&](std::string_view key) {
      const std::string list(HeaderValue(headers_, kWebhookSignatureHeader));
      const std::string hub(HeaderValue(headers_, kGithubSignatureHeader));
      const std::string v1 = StandardV1(key, content);
      const auto entries = Split(list, ' ');
      return std::find(entries.begin(), entries.end(), v1) != entries.end() ||
             hub == "sha256=" + HexEncode(HmacSha256(key, body_));
    };
    const auto underscore = secret.find('_');
    const std::string_view bare =
        underscore == std::string_view::npos ? secret : secret.substr(underscore + 1);
    const auto prefix = [](std::string_view what) {
      return Diagnosis{kPrefixPasted, fmt::format("the sender {}", what),
                       "strip whsec_ and decode the rest as base64, on both sides"};
    };
    if (scheme_ == WebhookScheme::kStandard) {
      if (signs(secret)) return prefix("used the secret's whole text, prefix included, as the key");
      if (bare != secret && signs(bare)) return prefix("used the base64 text as the key without decoding it");
      if (signs(std::string("v1,") + std::string(secret)))
        return prefix("used the version label as part of the key");
      return std::nullopt;
    }
    if (const auto decoded = Base64Decode(bare); decoded && signs(*decoded)) {
      return Diagnosis{kWrongScheme,
                       "the sender decoded the secret as base64, GitHub's scheme takes its text",
                       "use the text as it is on the sender's side"};
    }
    return std::nullopt;
  }

  std::optional<Diagnosis> OtherVersion(std::span<const WebhookKey> keys) const {
    if (scheme_ != WebhookScheme::kStandard) return std::nullopt;
    bool symmetric = false;
    bool asymmetric = false;
    for (const std::string_view entry : Split(HeaderValue(headers_, kWebhookSignatureHeader), ' ')) {
      symmetric |= entry.starts_with("v1,");
      asymmetric |= entry.starts_with("v1a,");
    }
    const bool key_symmetric = std::any_of(keys.begin(), keys.end(), [](const WebhookKey& key) {
      return key.kind() == WebhookKey::Kind::kHmac;
    });
    const bool key_asymmetric = std::any_of(keys.begin(), keys.end(), [](const WebhookKey& key) {
      return key.kind() != WebhookKey::Kind::kHmac;
    });
    if ((symmetric && key_symmetric) || (asymmetric && key_asymmetric)) return std::nullopt;
    if (!symmetric && !asymmetric)
      return Diagnosis{kWrongScheme, "the header holds neither a v1 nor a v1a signature",
                       "ask what the sender signs with"};
    return Diagnosis{kWrongScheme,
                     symmetric
                         ? "the request is signed with a symmetric key (v1), the secret is an Ed25519 key"
                         : "the request is signed with Ed25519 (v1a), the secret is a symmetric key",
                     "give the secret that belongs to the sender's kind of signature"};
  }

 private:
  WebhookScheme scheme_;
  std::span<const HeaderView> headers_;
  std::string_view body_;
  SystemTime now_;
};

bool LabelGlued(std::string_view secret) {
  return secret.starts_with("v1,") || secret.starts_with("v1a,") || secret.starts_with("whsec_whsec_");
}

}  // namespace

Diagnosis DiagnoseSignature(WebhookScheme scheme, std::span<const Secret> secrets,
                            std::span<const HeaderView> headers, std::string_view body, SystemTime now) {
  std::vector<WebhookKey> keys;
  for (const Secret& secret : secrets) {
    auto key = WebhookKey::ForVerifying(secret.Reveal(), scheme);
    if (!key)
      return {LabelGlued(secret.Reveal()) ? kPrefixPasted : kSecretUnusable, key.error().message,
              key.error().hint};
    keys.push_back(*std::move(key));
  }
  if (keys.empty())
    return {kSecretUnusable, "no secret was given", "name the secret that the sender signs with"};
  const Case the_case(scheme, headers, body, now);
  const SignatureVerdict verdict = the_case.Verdict(keys, body);
  if (verdict == SignatureVerdict::kValid) return {kNone, "the signature is valid", {}};
  if (verdict == SignatureVerdict::kTooOld || verdict == SignatureVerdict::kTooNew) return the_case.Clock();
  if (auto other = the_case.OtherHeaders()) return *std::move(other);
  if (verdict != SignatureVerdict::kMismatch)
    return {kHeaders, std::string(SignatureVerdictText(verdict)), "capture the request with all its headers"};
  for (const BodyVariant& variant : Variants(body)) {
    if (the_case.Fits(keys, variant.body))
      return {kBodyChanged, fmt::format("the body was changed after it was signed: {}", variant.what),
              "verify the raw bytes, before anything parses or prints them"};
  }
  for (const Secret& secret : secrets) {
    if (auto reading = the_case.OtherReadings(secret.Reveal())) return *std::move(reading);
  }
  if (auto version = the_case.OtherVersion(keys)) return *std::move(version);
  return {kWrongSecret, "no slip explains it: another secret was used, or id, timestamp or body were altered",
          "compare the secrets on both sides; capture body and headers byte for byte"};
}

}  // namespace tw::crypto
