// Diagnose: why does the signature of a captured webhook not verify? Tries what people get wrong, one slip at
// a time. Pure, any thread. Facts: signing.md section A2. For a person's help only: never answer a remote
// caller with it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"
#include "crypto/webhook_signature.h"

namespace tw::crypto {

enum class SignatureCause {
  kNone,            // it verifies
  kSecretUnusable,  // a secret cannot be read: reason in `what`
  kPrefixPasted,    // version label or prefix taken for part of the key, on either side
  kHeaders,         // missing, repeated or malformed
  kClock,           // right, but outside the tolerance
  kBodyChanged,     // right for a slightly different body
  kWrongScheme,     // made under another scheme or kind of key
  kWrongSecret,     // nothing fits
};

struct Diagnosis {
  SignatureCause cause = SignatureCause::kWrongSecret;
  std::string what;    // one sentence
  std::string remedy;  // may be empty
};

// `secrets` as configured (text); `headers` and `body` as they came in.
Diagnosis DiagnoseSignature(WebhookScheme scheme, std::span<const Secret> secrets,
                            std::span<const HeaderView> headers, std::string_view body, SystemTime now);

}  // namespace tw::crypto
