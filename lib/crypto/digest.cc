#include "crypto/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdlib>

namespace tw::crypto {
namespace {

unsigned char* Bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

constexpr std::size_t kSha256Size = 32;

}  // namespace

std::string Sha256(std::string_view bytes) {
  std::string out(kSha256Size, '\0');
  if (EVP_Digest(bytes.data(), bytes.size(), Bytes(out), nullptr, EVP_sha256(), nullptr) != 1) std::abort();
  return out;
}

std::string HmacSha256(std::string_view key, std::string_view bytes) {
  std::string out(kSha256Size, '\0');
  unsigned length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Bytes(bytes), bytes.size(), Bytes(out),
           &length) == nullptr) {
    std::abort();  // only out of memory gets here
  }
  return out;
}

}  // namespace tw::crypto
