// A key and a certificate signed with it, for a listener that has none (original-plugin.md A.6). Wraps
// libcrypto; stateless, any thread.
#pragma once

#include <chrono>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace tw::crypto {

struct SelfSigned {
  Secret key_pem;               // PKCS#8, ECDSA P-256
  std::string certificate_pem;  // version 3, not a CA, for servers
};

// `names`: host names and IP addresses, at least one; the first is also the common name. Valid from an hour
// before `now`, so that clocks may differ. Errors: kFailure.
Result<SelfSigned> MakeSelfSigned(std::span<const std::string> names, SystemTime now,
                                  std::chrono::days lifetime);

}  // namespace tw::crypto
