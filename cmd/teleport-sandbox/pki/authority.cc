#include "pki/authority.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/network.h"

namespace tw::sandbox {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using PKey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Memory = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Number = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;

constexpr int kRsaBits = 2048;
constexpr std::chrono::hours kAuthorityLife{24 * 3650};
constexpr int kSerialBits = 127;

Error CryptoError(std::string_view what) {
  std::string reason(256, '\0');
  ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
  ERR_clear_error();
  return Error::Failure(fmt::format("libcrypto: cannot {}: {}", what, reason.c_str()));
}

std::string Text(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string Bytes(const BIGNUM* number) {
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  return bytes;
}

bool AddName(X509_NAME* name, const char* field, const std::string& value) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

bool AddObjectName(X509_NAME* name, const std::string& oid, const std::string& value) {
  const std::unique_ptr<ASN1_OBJECT, Deleter<ASN1_OBJECT_free>> object(OBJ_txt2obj(oid.c_str(), 1));
  return object && X509_NAME_add_entry_by_OBJ(name, object.get(), MBSTRING_UTF8,
                                              reinterpret_cast<const unsigned char*>(value.data()),
                                              static_cast<int>(value.size()), -1, 0) == 1;
}

bool AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool SetTimes(X509* certificate, SystemTime from, SystemTime until) {
  const auto seconds = [](SystemTime t) {
    return static_cast<time_t>(
        std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count());
  };
  return ASN1_TIME_set(X509_getm_notBefore(certificate), seconds(from)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), seconds(until)) != nullptr;
}

bool SetSerial(X509* certificate) {
  const Number serial(BN_new());
  return serial && BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr;
}

std::string AlternativeNames(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    const bool literal = ParseNumeric(name).has_value();
    list += (list.empty() ? "" : ",") + std::string(literal ? "IP:" : "DNS:") + name;
  }
  return list;
}

Result<std::string> ToPem(X509* certificate) {
  const Memory memory(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(memory.get(), certificate) != 1) return CryptoError("write a certificate");
  return Text(memory.get());
}

Result<Certificate> FromPem(const std::string& pem) {
  const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Certificate certificate(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
  if (!certificate) return CryptoError("read a certificate");
  return certificate;
}

}  // namespace

SubjectMarks ReadSubject(const std::string& certificate_pem) {
  const auto certificate = FromPem(certificate_pem);
  if (!certificate) return {};
  const auto has = [&](const char* oid) {
    const std::unique_ptr<ASN1_OBJECT, Deleter<ASN1_OBJECT_free>> object(OBJ_txt2obj(oid, 1));
    return X509_NAME_get_index_by_OBJ(X509_get_subject_name(certificate->get()), object.get(), -1) >= 0;
  };
  return {has(kOidImpersonator), has(kOidActiveRequests)};
}

struct KeyPair::Impl {
  PKey key;
  KeyType type;
};

KeyPair::KeyPair(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KeyPair::KeyPair(KeyPair&&) noexcept = default;
KeyPair& KeyPair::operator=(KeyPair&&) noexcept = default;
KeyPair::~KeyPair() = default;

KeyType KeyPair::type() const {
  return impl_->type;
}

Result<KeyPair> KeyPair::Make(KeyType type) {
  PKey key(type == KeyType::kEc ? EVP_EC_gen("P-256") : EVP_RSA_gen(kRsaBits));
  if (!key) return CryptoError("make a key");
  return KeyPair(std::make_unique<Impl>(Impl{std::move(key), type}));
}

std::string KeyPair::PrivatePem() const {
  const Memory memory(BIO_new(BIO_s_mem()));
  if (impl_->type == KeyType::kRsa) {
    PEM_write_bio_PrivateKey_traditional(memory.get(), impl_->key.get(), nullptr, nullptr, 0, nullptr,
                                         nullptr);
  } else {
    PEM_write_bio_PKCS8PrivateKey(memory.get(), impl_->key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }
  return Text(memory.get());
}

std::string KeyPair::PublicPoint() const {
  if (impl_->type != KeyType::kEc) return {};
  std::string point(65, '\0');
  std::size_t size = 0;
  EVP_PKEY_get_octet_string_param(impl_->key.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                  reinterpret_cast<unsigned char*>(point.data()), point.size(), &size);
  point.resize(size);
  return point;
}

std::pair<std::string, std::string> KeyPair::RsaNumbers() const {
  const auto number = [this](const char* name) {
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(impl_->key.get(), name, &raw) != 1) return std::string();
    const Number owned(raw);
    return Bytes(raw);
  };
  return {number(OSSL_PKEY_PARAM_RSA_E), number(OSSL_PKEY_PARAM_RSA_N)};
}

Result<std::pair<std::string, std::string>> KeyPair::SignEc(std::string_view bytes) const {
  const Context context(EVP_MD_CTX_new());
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, impl_->key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, data, bytes.size()) != 1) {
    return CryptoError("sign");
  }
  std::string der(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(der.data()), &size, data,
                     bytes.size()) != 1) {
    return CryptoError("sign");
  }
  const auto* cursor = reinterpret_cast<const unsigned char*>(der.data());
  const EcSignature signature(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(size)));
  if (!signature) return CryptoError("read a signature");
  return std::pair{Bytes(ECDSA_SIG_get0_r(signature.get())), Bytes(ECDSA_SIG_get0_s(signature.get()))};
}

Result<Authority> Authority::Make(const std::string& organization, SystemTime now) {
  auto key = KeyPair::Make(KeyType::kEc);
  if (!key) return key.error();
  const Certificate certificate(X509_new());
  EVP_PKEY* pkey = key->impl_->key.get();
  X509_NAME* name = X509_get_subject_name(certificate.get());
  const bool made = X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                    SetSerial(certificate.get()) &&
                    SetTimes(certificate.get(), now - std::chrono::minutes(1), now + kAuthorityLife) &&
                    AddName(name, "O", organization) && AddName(name, "CN", organization);
  if (!made) return CryptoError("name an authority");
  // Teleport writes the serial into the subject too, which tells the authorities of a rotation apart.
  char* serial = i2s_ASN1_INTEGER(nullptr, X509_get_serialNumber(certificate.get()));
  const bool named = serial != nullptr && AddName(name, "serialNumber", serial);
  OPENSSL_free(serial);
  const bool signed_now =
      named && X509_set_issuer_name(certificate.get(), name) == 1 &&
      X509_set_pubkey(certificate.get(), pkey) == 1 &&
      AddExtension(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE") &&
      AddExtension(certificate.get(), certificate.get(), NID_key_usage,
                   "critical,digitalSignature,keyCertSign,cRLSign") &&
      AddExtension(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash") &&
      X509_sign(certificate.get(), pkey, EVP_sha256()) > 0;
  if (!signed_now) return CryptoError("make an authority");
  auto pem = ToPem(certificate.get());
  if (!pem) return pem.error();
  return Authority(*std::move(key), *std::move(pem));
}

Result<std::string> Authority::Issue(const KeyPair& subject, const LeafRequest& leaf) const {
  const auto issuer = FromPem(certificate_pem_);
  if (!issuer) return issuer.error();
  const Certificate certificate(X509_new());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  bool ok = X509_set_version(certificate.get(), X509_VERSION_3) == 1 && SetSerial(certificate.get()) &&
            SetTimes(certificate.get(), leaf.not_before, leaf.not_after);
  for (const std::string& organization : leaf.organizations) ok = ok && AddName(name, "O", organization);
  ok = ok && AddName(name, "CN", leaf.common_name);
  for (const auto& [oid, value] : leaf.extra_names) ok = ok && AddObjectName(name, oid, value);
  ok = ok && X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer->get())) == 1 &&
       X509_set_pubkey(certificate.get(), subject.impl_->key.get()) == 1 &&
       AddExtension(certificate.get(), issuer->get(), NID_key_usage,
                    "critical,digitalSignature,keyEncipherment") &&
       AddExtension(certificate.get(), issuer->get(), NID_ext_key_usage, "serverAuth,clientAuth") &&
       AddExtension(certificate.get(), issuer->get(), NID_basic_constraints, "critical,CA:FALSE") &&
       AddExtension(certificate.get(), issuer->get(), NID_authority_key_identifier, "keyid");
  if (ok && !leaf.dns_names.empty()) {
    ok = AddExtension(certificate.get(), issuer->get(), NID_subject_alt_name,
                      AlternativeNames(leaf.dns_names));
  }
  if (!ok || X509_sign(certificate.get(), key_.impl_->key.get(), EVP_sha256()) <= 0) {
    return CryptoError("issue a certificate");
  }
  return ToPem(certificate.get());
}

}  // namespace tw::sandbox
