// Ed25519 (RFC 8032) over bytes in memory. Stateless, any thread. Wraps libcrypto.
#pragma once

#include <string>
#include <string_view>

namespace tw::crypto {

inline constexpr std::size_t kEd25519SeedSize = 32;
inline constexpr std::size_t kEd25519PublicSize = 32;
inline constexpr std::size_t kEd25519SignatureSize = 64;

// `seed` is the 32-byte private key of RFC 8032; 32 raw bytes come back.
std::string Ed25519PublicKey(std::string_view seed);
std::string Ed25519Sign(std::string_view seed, std::string_view bytes);  // 64 raw bytes
// False also for keys and signatures of the wrong size.
bool Ed25519Verify(std::string_view public_key, std::string_view signature, std::string_view bytes);

}  // namespace tw::crypto
