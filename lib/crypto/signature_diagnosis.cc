#include "crypto/signature_diagnosis.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "crypto/body_variants.h"
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

  // The body's length by its header.
  std::optional<std::size_t> ToldLength() const {
    const std::string_view text = HeaderValue(headers_, "content-length");
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return length;
  }

  Diagnosis Explain(std::span<const Secret> secrets, std::span<const WebhookKey> keys) const {
    const SignatureVerdict verdict = Verdict(keys, body_);
    if (verdict == SignatureVerdict::kValid) return {kNone, "the signature is valid", {}};
    if (verdict == SignatureVerdict::kTooOld || verdict == SignatureVerdict::kTooNew) return Clock();
    if (auto other = OtherHeaders()) return *std::move(other);
    if (verdict != SignatureVerdict::kMismatch) return HeaderFault();
    for (const BodyVariant& variant : BodyVariants(body_)) {
      if (Fits(keys, variant.body))
        return {kBodyChanged, fmt::format("the body was changed after it was signed: {}", variant.what),
                "verify the raw bytes, before anything parses or prints them"};
    }
    for (const Secret& secret : secrets) {
      if (auto reading = OtherReadings(secret.Reveal())) return *std::move(reading);
    }
    if (auto form = OtherForms(keys)) return *std::move(form);
    if (auto version = OtherVersion(keys)) return *std::move(version);
    if (body_.empty())
      return {kBodyChanged, "the body is missing", "capture it too: curl -v, for one, does not show it"};
    if (const auto length = ToldLength(); length && *length != body_.size()) {
      return {kBodyChanged,
              fmt::format("the body has {} bytes, and Content-Length says {}", body_.size(), *length),
              "it was changed on the way, or not captured as it came: capture it byte for byte, then look at "
              "the secret"};
    }
    return {kWrongSecret,
            "no slip explains it: another secret was used, or id, timestamp or body were altered",
            "compare the secrets on both sides; capture body and headers byte for byte"};
  }

 private:
  Diagnosis Clock() const {
    std::int64_t seconds = 0;
    const std::string_view text = HeaderValue(headers_, kWebhookTimestampHeader);
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    const auto late = std::chrono::floor<std::chrono::seconds>(now_).time_since_epoch().count() - seconds;
    return {kClock,
            fmt::format("the signature is right, but its timestamp is {} s {} (allowed: {} s)",
                        late < 0 ? -late : late, late < 0 ? "ahead" : "old", kSignatureTolerance.count()),
            "compare the clocks of both machines; of a request captured earlier, give the time of arrival "
            "with --at"};
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

  // Which header is at fault, when the verdict is not about the signature itself.
  Diagnosis HeaderFault() const {
    std::vector<std::string_view> names{kWebhookIdHeader, kWebhookTimestampHeader, kWebhookSignatureHeader};
    if (scheme_ == WebhookScheme::kGithub) names = {kGithubSignatureHeader};
    std::vector<std::string_view> missing;
    for (const std::string_view name : names) {
      const auto times = std::count_if(headers_.begin(), headers_.end(), [&](const HeaderView& header) {
        return AsciiLower(header.first) == AsciiLower(name);
      });
      if (times > 1)
        return {kHeaders, fmt::format("{} comes {} times", name, times), "send each signature header once"};
      if (HeaderValue(headers_, name).empty()) missing.push_back(name);
    }
    if (!missing.empty()) {
      return {
          kHeaders,
          fmt::format("{} {} missing or empty", fmt::join(missing, ", "), missing.size() > 1 ? "are" : "is"),
          "capture the request with all its headers, each on a line of its own, as it came over the wire"};
    }
    return Malformed();
  }

  Diagnosis Malformed() const {
    if (scheme_ == WebhookScheme::kGithub)
      return {kHeaders, fmt::format("{} does not begin with sha256=", kGithubSignatureHeader),
              "send sha256= and the HMAC-SHA256 in hex"};
    const std::string_view sent = HeaderValue(headers_, kWebhookTimestampHeader);
    if (sent.find_first_not_of("0123456789") == std::string_view::npos && sent.size() > 12)
      return {kHeaders, fmt::format("{} is not in seconds", kWebhookTimestampHeader),
              "send the seconds since 1970: divide milliseconds by 1000"};
    if (sent.find_first_not_of("0123456789") != std::string_view::npos)
      return {kHeaders, fmt::format("{} is not a whole number", kWebhookTimestampHeader),
              "send the seconds since 1970"};
    if (HeaderValue(headers_, kWebhookIdHeader).find('.') != std::string_view::npos)
      return {kHeaders, fmt::format("{} holds a dot", kWebhookIdHeader), "make ids without dots"};
    return {kHeaders, fmt::format("{} has no version in front of the signature", kWebhookSignatureHeader),
            "send v1, and the HMAC-SHA256 in base64"};
  }

  // Signed with the right key, but other bytes or another spelling.
  std::optional<Diagnosis> OtherForms(std::span<const WebhookKey> keys) const {
    const std::string_view id = HeaderValue(headers_, kWebhookIdHeader);
    const std::string_view sent = HeaderValue(headers_, kWebhookTimestampHeader);
    const std::string content = StandardContent(id, sent, body_);
    for (const WebhookKey& key : keys) {
      if (key.kind() != WebhookKey::Kind::kHmac) continue;
      const std::string hex = "v1," + HexEncode(HmacSha256(key.bytes(), content));
      if (HasEntry([&](std::string_view found) { return AsciiLower(found) == hex; }))
        return Diagnosis{kWrongScheme, "the signature is right, but in hex", "send it in base64"};
      const std::string url_safe = UrlSafe(StandardV1(key.bytes(), content));
      if (HasEntry([&](std::string_view found) { return UrlSafe(found) == url_safe; }))
        return Diagnosis{kWrongScheme, "the signature is right, but in the URL-safe spelling of base64",
                         "send it in standard base64: with + and /, padded with ="};
      const std::string_view whole = "sign webhook-id, a dot, webhook-timestamp, a dot, and the body";
      const std::string body_only = StandardV1(key.bytes(), body_);
      if (HasEntry([&](std::string_view found) { return found == body_only; }))
        return Diagnosis{kWrongScheme, "the sender signed the body alone", std::string(whole)};
      const std::string swapped = StandardV1(key.bytes(), StandardContent(sent, id, body_));
      const std::string without_id = StandardV1(key.bytes(), fmt::format("{}.{}", sent, body_));
      if (HasEntry([&](std::string_view found) { return found == swapped || found == without_id; }))
        return Diagnosis{kWrongScheme, "the sender put the signed parts together differently",
                         std::string(whole)};
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

  template <typename Test>
  bool HasEntry(Test test) const {
    const auto entries = Split(HeaderValue(headers_, kWebhookSignatureHeader), ' ');
    return std::any_of(entries.begin(), entries.end(), test);
  }

  static std::string UrlSafe(std::string_view base64) {
    std::string out(base64.substr(0, base64.find('=')));
    std::replace(out.begin(), out.end(), '+', '-');
    std::replace(out.begin(), out.end(), '/', '_');
    return out;
  }

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
  // What follows the body's end by Content-Length is the capture's: an editor's newline, a tool's own line.
  const Case whole(scheme, headers, body, now);
  if (const auto length = whole.ToldLength(); length && *length < body.size()) {
    const std::string_view sent = body.substr(0, *length);
    const Case cut(scheme, headers, sent, now);
    if (cut.Fits(keys, sent)) {
      Diagnosis diagnosis = cut.Explain(secrets, keys);
      diagnosis.what += fmt::format("; what follows the {} bytes of Content-Length is left out", *length);
      return diagnosis;
    }
  }
  return whole.Explain(secrets, keys);
}

}  // namespace tw::crypto
