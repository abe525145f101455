// Private keys in every form that Teleport's tools write: PKCS#1, SEC 1 and PKCS#8 under any label, and
// OpenSSH's own (reference page section 5.2). Wraps libcrypto; stateless, any thread.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "crypto/pem.h"

struct evp_pkey_st;  // libcrypto's EVP_PKEY

namespace tw::crypto {

// The key as PKCS#8 DER. Errors (kCredentials) say what is wrong, never what the key is.
Result<Secret> ReadPrivateKey(const PemBlock& block);
// The first key in a PEM text; a text without one is an error.
Result<Secret> ReadPrivateKey(std::string_view pem);

// For a TLS connection: as libcrypto holds it; null when it cannot be read. PKCS#8, SEC 1 or PKCS#1. The last
// key is remembered, since decoding one costs as much as a handshake.
std::shared_ptr<evp_pkey_st> ParsePrivateKey(std::string_view der);

// Does this key (PKCS#8 DER) belong to this certificate (DER)? False also when either cannot be read.
bool KeyMatches(const Secret& key, std::string_view certificate_der);

}  // namespace tw::crypto
