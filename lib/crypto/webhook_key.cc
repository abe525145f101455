// Reading of webhook secrets: strict, since a key that is silently read differently by the two sides costs
// hours.
#include <fmt/format.h>

#include "base/text.h"
#include "crypto/ed25519.h"
#include "crypto/webhook_signature.h"

namespace tw::crypto {
namespace {

constexpr std::string_view kSymmetric = "whsec_";
constexpr std::string_view kPrivate = "whsk_";
constexpr std::string_view kPublic = "whpk_";
constexpr std::size_t kLeastKey = 24;  // bytes; Standard Webhooks 1.0.0
constexpr std::size_t kMostKey = 64;
constexpr std::string_view kNewSecret = "teleport-webhooks configure --new-secret prints a good one";

Error Bad(std::string why, std::string_view hint = kNewSecret) {
  return Error::Config("not a usable webhook secret: " + std::move(why), std::string(hint));
}

// Slips that apply to every kind of secret, told before anything is decoded.
Status RefuseSlips(std::string_view text) {
  if (text.empty()) return Bad("it is empty");
  if (Trim(text) != text) return Bad("it begins or ends with a blank or a newline", "remove it");
  for (const std::string_view label : {"v1,", "v1a,"}) {
    if (text.starts_with(label)) {
      return Bad(fmt::format("the version label \"{}\" is glued in front of the key", label),
                 "remove the label: the key itself begins with whsec_ or whsk_");
    }
  }
  return {};
}

// Some services make keys of random base64 characters, whose last one then holds bits beyond the last byte.
// Every other library drops these bits, so they are dropped here too; nothing else about the text is
// forgiven.
std::string WithoutSpareBits(std::string_view encoded) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out(encoded);
  const auto pad = out.find('=');
  const std::size_t digits = pad == std::string::npos ? out.size() : pad;
  if (digits == 0 || digits % 4 < 2) return out;
  const auto value = kAlphabet.find(out[digits - 1]);
  if (value == std::string_view::npos) return out;
  out[digits - 1] = kAlphabet[value & (digits % 4 == 2 ? 0x30U : 0x3cU)];
  return out;
}

Result<std::string> DecodeKey(std::string_view encoded, std::string_view prefix) {
  if (encoded.empty()) return Bad(fmt::format("nothing follows \"{}\", the key would be empty", prefix));
  for (const std::string_view again : {kSymmetric, kPrivate, kPublic}) {
    if (encoded.starts_with(again)) return Bad("its prefix comes twice", "write the prefix once");
  }
  auto bytes = Base64Decode(Secret(WithoutSpareBits(encoded)).Reveal());
  if (!bytes) return Bad(fmt::format("what follows \"{}\" is not standard base64", prefix));
  return *std::move(bytes);
}

}  // namespace

Result<WebhookKey> WebhookKey::ForSigning(std::string_view text, WebhookScheme scheme) {
  if (const Status slips = RefuseSlips(text); !slips) return slips.error();
  if (scheme == WebhookScheme::kGithub) {
    if (text.size() < kLeastKey)
      return Bad(fmt::format("it has {} bytes, at least {} are needed", text.size(), kLeastKey));
    return WebhookKey(Kind::kGithub, Secret(std::string(text)), {});
  }
  if (text.starts_with(kSymmetric)) {
    auto bytes = DecodeKey(text.substr(kSymmetric.size()), kSymmetric);
    if (!bytes) return bytes.error();
    if (bytes->size() < kLeastKey || bytes->size() > kMostKey) {
      return Bad(
          fmt::format("the key has {} bytes, {} to {} are needed", bytes->size(), kLeastKey, kMostKey));
    }
    return WebhookKey(Kind::kHmac, Secret(*std::move(bytes)), {});
  }
  if (text.starts_with(kPublic)) {
    return Bad("it is a public key (whpk_), which cannot sign",
               "give the private key, which begins with whsk_");
  }
  if (!text.starts_with(kPrivate)) return Bad("it begins neither with whsec_ nor with whsk_");
  auto bytes = DecodeKey(text.substr(kPrivate.size()), kPrivate);
  if (!bytes) return bytes.error();
  const Secret whole(*std::move(bytes));
  const std::size_t size = whole.Reveal().size();
  if (size != kEd25519SeedSize && size != kEd25519SeedSize + kEd25519PublicSize) {
    return Bad(
        fmt::format("the Ed25519 key has {} bytes, 32 (seed) or 64 (seed and public key) are needed", size));
  }
  const std::string_view seed = whole.Reveal().substr(0, kEd25519SeedSize);
  std::string derived = Ed25519PublicKey(seed);
  if (size > kEd25519SeedSize && whole.Reveal().substr(kEd25519SeedSize) != derived) {
    return Bad("its public half does not belong to its private half", "copy the key again, whole");
  }
  return WebhookKey(Kind::kEd25519, Secret(std::string(seed)), std::move(derived));
}

Result<WebhookKey> WebhookKey::ForVerifying(std::string_view text, WebhookScheme scheme) {
  if (scheme == WebhookScheme::kGithub || !text.starts_with(kPublic)) return ForSigning(text, scheme);
  if (const Status slips = RefuseSlips(text); !slips) return slips.error();
  auto bytes = DecodeKey(text.substr(kPublic.size()), kPublic);
  if (!bytes) return bytes.error();
  if (bytes->size() != kEd25519PublicSize) {
    return Bad(fmt::format("the public key has {} bytes, 32 are needed", bytes->size()),
               "copy the key again, whole");
  }
  return WebhookKey(Kind::kEd25519Public, Secret(), *std::move(bytes));
}

std::string WebhookKey::PublicText() const {
  return public_bytes_.empty() ? std::string() : std::string(kPublic) + Base64Encode(public_bytes_);
}

}  // namespace tw::crypto
