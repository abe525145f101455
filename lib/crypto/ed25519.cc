#include "crypto/ed25519.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <memory>

namespace tw::crypto {
namespace {

struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct ContextFree {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, KeyFree>;
using Context = std::unique_ptr<EVP_MD_CTX, ContextFree>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

// A seed of the right size is always a key, so a failure here is a broken caller or no memory.
Key PrivateKey(std::string_view seed) {
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, Bytes(seed), seed.size()));
  if (!key) std::abort();
  return key;
}

}  // namespace

std::string Ed25519PublicKey(std::string_view seed) {
  const Key key = PrivateKey(seed);
  std::string out(kEd25519PublicSize, '\0');
  std::size_t size = out.size();
  if (EVP_PKEY_get_raw_public_key(key.get(), Bytes(out), &size) != 1) std::abort();
  return out;
}

std::string Ed25519Sign(std::string_view seed, std::string_view bytes) {
  const Key key = PrivateKey(seed);
  const Context context(EVP_MD_CTX_new());
  std::string out(kEd25519SignatureSize, '\0');
  std::size_t size = out.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), Bytes(out), &size, Bytes(bytes), bytes.size()) != 1) {
    std::abort();
  }
  return out;
}

bool Ed25519Verify(std::string_view public_key, std::string_view signature, std::string_view bytes) {
  if (public_key.size() != kEd25519PublicSize || signature.size() != kEd25519SignatureSize) return false;
  const Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(public_key), public_key.size()));
  const Context context(EVP_MD_CTX_new());
  return key && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(bytes), bytes.size()) == 1;
}

}  // namespace tw::crypto
