// Reads OpenSSH's private key container (PROTOCOL.key of OpenSSH: "openssh-key-v1"), unencrypted. Internal to
// lib/crypto, hence OpenSSL types in the interface.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string_view>

#include "base/result.h"

namespace tw::crypto {

struct EvpKeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using EvpKey = std::unique_ptr<EVP_PKEY, EvpKeyDeleter>;

bool IsOpensshKey(std::string_view der);
// RSA, ECDSA on the three NIST curves, Ed25519. Error: kCredentials.
Result<EvpKey> ReadOpensshKey(std::string_view der);

}  // namespace tw::crypto
