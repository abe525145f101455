// Credentials: what the client shows to the Auth Service and whom it trusts, read from files. Plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "config/settings.h"
#include "crypto/certificate.h"

namespace tw::teleport {

struct Credentials {
  Secret key;  // PKCS#8 DER
  crypto::Certificate certificate;
  std::vector<crypto::Certificate> cas;
  std::string certificate_file;  // where the certificate came from, for messages
  std::string ca_file;

  const std::string& user() const { return certificate.common_name; }
  const std::vector<std::string>& roles() const { return certificate.organizations; }
  // From the certificate: OID 1.3.9999.1.7, else the issuer's name (reference page section 5.2).
  std::string cluster() const;
  // Tells one set from another, e.g. to see whether a renewal changed anything.
  std::string Fingerprint() const;
};

// The paths that the settings name, in order; empty when neither form is configured.
std::vector<std::string> CredentialFiles(const config::TeleportSettings& settings);

// Reads the triple or the identity file. Error (kCredentials): everything that is wrong, all files in one
// message; retryable, since a renewal may be half done. Dates are not looked at: see DateProblem.
Result<Credentials> LoadCredentials(const config::TeleportSettings& settings);

// Why the certificate cannot be used at this time: expired, or not valid yet (a wrong clock).
std::optional<Error> DateProblem(const Credentials& credentials, SystemTime now);

}  // namespace tw::teleport
