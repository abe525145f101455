// SHA-256 and HMAC-SHA-256 over bytes in memory. Stateless, any thread. Wraps libcrypto.
#pragma once

#include <string>
#include <string_view>

#include "base/secret.h"

namespace tw::crypto {

std::string Sha256(std::string_view bytes);                            // 32 raw bytes
std::string HmacSha256(std::string_view key, std::string_view bytes);  // 32 raw bytes

}  // namespace tw::crypto
