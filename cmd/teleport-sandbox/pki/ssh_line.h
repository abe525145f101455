// The SSH lines of an identity file: a user certificate, and the CA as a @cert-authority line. OpenSSH's
// formats (PROTOCOL.certkeys); a TLS client skips them, but ssh-keygen -L reads them.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "pki/authority.h"

namespace tw::sandbox {

// "ssh-rsa-cert-v01@openssh.com AAAA..." or its ECDSA form, without a newline. `principal` is the login name.
Result<std::string> SshCertificateLine(const KeyPair& subject, const KeyPair& authority,
                                       const std::string& principal, SystemTime from, SystemTime until,
                                       Random& random);

// "@cert-authority *.<cluster> ecdsa-sha2-nistp256 AAAA... type=host".
std::string SshAuthorityLine(const KeyPair& authority, const std::string& cluster);

}  // namespace tw::sandbox
