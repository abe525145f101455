#include "crypto/private_key.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <mutex>
#include <string>

#include "base/text.h"
#include "crypto/openssh_key.h"

namespace tw::crypto {
namespace {

Error Bad(std::string message) {
  return {ErrorKind::kCredentials, std::move(message), {}, true};
}

using Pkcs8 = std::unique_ptr<PKCS8_PRIV_KEY_INFO, decltype(&PKCS8_PRIV_KEY_INFO_free)>;

Result<Secret> ToPkcs8(const EVP_PKEY& key) {
  const Pkcs8 info(EVP_PKEY2PKCS8(&key), PKCS8_PRIV_KEY_INFO_free);
  unsigned char* bytes = nullptr;
  const int length = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), &bytes) : -1;
  if (length <= 0) return Bad("the private key cannot be used");
  Secret out(std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length)));
  OPENSSL_clear_free(bytes, static_cast<std::size_t>(length));
  return out;
}

// Null unless the whole of it is PKCS#8.
Pkcs8 AsPkcs8(std::string_view der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = bytes + der.size();
  Pkcs8 info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &bytes, static_cast<long>(der.size())),
             PKCS8_PRIV_KEY_INFO_free);
  if (bytes != end) info.reset();
  return info;
}

std::shared_ptr<EVP_PKEY> Decode(std::string_view der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  std::shared_ptr<EVP_PKEY> key(d2i_AutoPrivateKey(nullptr, &bytes, static_cast<long>(der.size())),
                                EVP_PKEY_free);
  ERR_clear_error();
  return key;
}

struct Remembered {
  std::mutex mutex;
  Secret der;
  std::shared_ptr<EVP_PKEY> key;
};

}  // namespace

Result<Secret> ReadPrivateKey(const PemBlock& block) {
  const std::string_view der = block.der.Reveal();
  if (block.encrypted)
    return Bad("the private key is encrypted with a passphrase; a key without one is needed");
  if (IsOpensshKey(der)) {
    const Result<EvpKey> key = ReadOpensshKey(der);
    Result<Secret> out = key ? ToPkcs8(**key) : key.error();
    ERR_clear_error();
    return out;
  }
  const std::shared_ptr<EVP_PKEY> key = ParsePrivateKey(der);
  if (!key)
    return Bad(fmt::format("the block \"{}\" does not hold a private key that can be read",
                           EscapeControls(block.label)));
  if (AsPkcs8(der)) return block.der;
  ERR_clear_error();
  return ToPkcs8(*key);
}

std::shared_ptr<EVP_PKEY> ParsePrivateKey(std::string_view der) {
  static auto& remembered = *new Remembered;  // never destroyed: libcrypto may have cleaned up before
  const std::lock_guard lock(remembered.mutex);
  if (remembered.key && remembered.der.Matches(der)) return remembered.key;
  std::shared_ptr<EVP_PKEY> key = Decode(der);
  if (key) {
    remembered.der = Secret(std::string(der));
    remembered.key = key;
  }
  return key;
}

Result<Secret> ReadPrivateKey(std::string_view pem) {
  const Result<PemText> text = ScanPem(pem);
  if (!text) return text.error();
  for (const PemBlock& block : text->blocks) {
    if (block.label.ends_with("PRIVATE KEY")) return ReadPrivateKey(block);
  }
  return Bad("holds no private key");
}

bool KeyMatches(const Secret& key, std::string_view certificate_der) {
  const std::shared_ptr<EVP_PKEY> evp = ParsePrivateKey(key.Reveal());
  const auto* bytes = reinterpret_cast<const unsigned char*>(certificate_der.data());
  const std::unique_ptr<X509, decltype(&X509_free)> x509(
      d2i_X509(nullptr, &bytes, static_cast<long>(certificate_der.size())), X509_free);
  const bool match = evp && x509 && X509_check_private_key(x509.get(), evp.get()) == 1;
  ERR_clear_error();
  return match;
}

}  // namespace tw::crypto
