// Reads OpenSSH's private key container (PROTOCOL.key of OpenSSH: "openssh-key-v1"), unencrypted. Internal to
// lib/crypto, hence OpenSSL types in the interface.
#pragma once

#include <string_view>

#include "base/result.h"
#include "crypto/evp_key.h"

namespace tw::crypto {

bool IsOpensshKey(std::string_view der);
// RSA, ECDSA on the three NIST curves, Ed25519. Error: kCredentials.
Result<EvpKey> ReadOpensshKey(std::string_view der);

}  // namespace tw::crypto
