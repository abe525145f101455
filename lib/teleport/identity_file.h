// Teleport's identity file: key, certificate and CAs in one text (reference page section 5.3). Pure, any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "crypto/certificate.h"

namespace tw::teleport {

struct IdentityFile {
  Secret key;  // PKCS#8 DER
  crypto::Certificate certificate;
  std::vector<crypto::Certificate> cas;
  bool has_ssh_certificate = false;  // not needed here; tells people what kind of file it is
};

// Order and labels of the blocks are only hints: what a block holds decides. The certificate is the first one
// that belongs to the key; the others are CAs. Errors (kCredentials, without the file's name) say which part
// is missing.
Result<IdentityFile> ParseIdentityFile(std::string_view text);

}  // namespace tw::teleport
