// Words for what goes wrong in TLS: which certificate, which name, which date. Internal to lib/teleport.
#pragma once

#include <optional>
#include <string>

#include "crypto/certificate.h"
#include "teleport/tls.h"

namespace tw::teleport {

// What the verification of the peer found; filled in by the verify callback during the handshake.
struct VerifyReport {
  int code = 0;  // X509_V_ERR_*, 0: nothing wrong
  int depth = 0;
  std::optional<crypto::Certificate> culprit;  // the certificate that failed
  std::optional<crypto::Certificate> leaf;     // the peer's own
};

TlsFailure VerifyFailure(const VerifyReport& report, const TlsOptions& options);

// From OpenSSL's error queue of this thread (which it empties), after a call that returned `ssl_error`.
// `ours` describes our certificate.
TlsFailure QueueFailure(int ssl_error, int saved_errno, const std::string& peer, const std::string& ours);

// The peer speaks TLS but is not what we look for.
TlsFailure AlpnFailure(const std::string& peer, const std::string& chosen);

}  // namespace tw::teleport
