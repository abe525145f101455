// A private key as libcrypto holds it. For the rooms that make TLS connections, hence the OpenSSL type in the
// interface; the others use crypto/private_key.h.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string_view>

namespace tw::crypto {

struct EvpKeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using EvpKey = std::unique_ptr<EVP_PKEY, EvpKeyDeleter>;

// Null when it cannot be read. Takes PKCS#8 as ReadPrivateKey gives it (fast), SEC 1 and PKCS#1.
EvpKey ParsePrivateKey(std::string_view der);

}  // namespace tw::crypto
