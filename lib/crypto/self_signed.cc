#include "crypto/self_signed.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>

namespace tw::crypto {
namespace {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Freer<X509_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>>;

constexpr std::chrono::hours kClockSlack{1};
constexpr std::size_t kLongestCommonName = 64;  // X.520 ub-common-name
constexpr int kSerialBytes = 16;

Error Failed(const char* step) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  return Error::Failure(fmt::format("cannot make a self-signed certificate ({}): {}", step, text.data()));
}

bool AddExtension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// Built piece by piece: a configuration text would let a comma in a name add another.
bool AddNames(X509* certificate, std::span<const std::string> names) {
  const NamesPtr list(GENERAL_NAMES_new());
  if (!list) return false;
  for (const std::string& name : names) {
    std::unique_ptr<GENERAL_NAME, Freer<GENERAL_NAME_free>> entry(GENERAL_NAME_new());
    if (!entry) return false;
    if (ASN1_OCTET_STRING* const address = a2i_IPADDRESS(name.c_str()); address != nullptr) {
      GENERAL_NAME_set0_value(entry.get(), GEN_IPADD, address);
    } else {
      ASN1_IA5STRING* const text = ASN1_IA5STRING_new();
      if (text == nullptr) return false;
      GENERAL_NAME_set0_value(entry.get(), GEN_DNS, text);
      if (ASN1_STRING_set(text, name.data(), static_cast<int>(name.size())) != 1) return false;
    }
    if (sk_GENERAL_NAME_push(list.get(), entry.get()) == 0) return false;
    [[maybe_unused]] auto* kept = entry.release();
  }
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, list.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

bool Describe(X509* certificate, const std::string& common_name) {
  std::array<unsigned char, kSerialBytes> serial{};
  if (RAND_bytes(serial.data(), kSerialBytes) != 1) return false;
  serial[0] &= 0x7fU;  // a positive number
  const std::unique_ptr<BIGNUM, Freer<BN_free>> number(BN_bin2bn(serial.data(), kSerialBytes, nullptr));
  if (!number || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr)
    return false;
  X509_NAME* const subject = X509_get_subject_name(certificate);
  const auto add = [&](const char* field, std::string_view text) {
    return X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()), -1, 0) == 1;
  };
  return add("O", "teleport-webhooks") &&
         add("CN", std::string_view(common_name).substr(0, kLongestCommonName)) &&
         X509_set_issuer_name(certificate, subject) == 1;
}

Result<std::string> ToPem(const BioPtr& bio, bool written) {
  if (!written) return Failed("writing");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace

Result<SelfSigned> MakeSelfSigned(std::span<const std::string> names, SystemTime now,
                                  std::chrono::days lifetime) {
  if (names.empty()) return Error::Failure("a certificate needs at least one name");
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr certificate(X509_new());
  if (!key || !certificate) return Failed("key");
  X509* const x = certificate.get();
  const auto seconds = [](SystemTime time) {
    return std::chrono::system_clock::to_time_t(
        std::chrono::time_point_cast<std::chrono::system_clock::duration>(time));
  };
  const bool described = X509_set_version(x, X509_VERSION_3) == 1 && Describe(x, names[0]) &&
                         ASN1_TIME_set(X509_getm_notBefore(x), seconds(now - kClockSlack)) != nullptr &&
                         ASN1_TIME_set(X509_getm_notAfter(x), seconds(now + lifetime)) != nullptr &&
                         X509_set_pubkey(x, key.get()) == 1;
  if (!described) return Failed("subject");
  const bool extended = AddNames(x, names) && AddExtension(x, NID_basic_constraints, "critical,CA:FALSE") &&
                        AddExtension(x, NID_key_usage, "critical,digitalSignature") &&
                        AddExtension(x, NID_ext_key_usage, "serverAuth") &&
                        AddExtension(x, NID_subject_key_identifier, "hash");
  if (!extended) return Failed("extensions");
  if (X509_sign(x, key.get(), EVP_sha256()) == 0) return Failed("signature");

  const BioPtr key_text(BIO_new(BIO_s_secmem()));
  const BioPtr certificate_text(BIO_new(BIO_s_mem()));
  auto key_pem =
      ToPem(key_text, key_text && PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), nullptr, nullptr,
                                                                0, nullptr, nullptr) == 1);
  if (!key_pem) return key_pem.error();
  auto certificate_pem =
      ToPem(certificate_text, certificate_text && PEM_write_bio_X509(certificate_text.get(), x) == 1);
  if (!certificate_pem) return certificate_pem.error();
  return SelfSigned{Secret(std::move(*key_pem)), std::move(*certificate_pem)};
}

}  // namespace tw::crypto
