#include "fakes/test_ca.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace tw::fakes {
namespace {

constexpr long kDay = 24L * 3600;

std::string Text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

std::string CertificatePem(X509* certificate) {
  BIO* const bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  return Text(bio);
}

void Extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* Begin(const std::string& common_name, EVP_PKEY* key, X509_NAME* issuer, long from, long to) {
  X509* const certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  unsigned int serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), static_cast<long>(serial >> 1U) + 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), from);
  X509_gmtime_adj(X509_getm_notAfter(certificate), to);
  X509_set_pubkey(certificate, key);
  X509_NAME* const subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, issuer == nullptr ? subject : issuer);
  return certificate;
}

}  // namespace

struct CallerCa::Parts {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = nullptr;
  ~Parts() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
};

CallerCa::CallerCa(const std::string& name) : parts_(std::make_unique<Parts>()) {
  parts_->certificate = Begin(name, parts_->key, nullptr, -kDay, 10 * kDay);
  Extend(parts_->certificate, parts_->certificate, NID_basic_constraints, "critical,CA:TRUE");
  Extend(parts_->certificate, parts_->certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  X509_sign(parts_->certificate, parts_->key, EVP_sha256());
}

CallerCa::~CallerCa() = default;

std::string CallerCa::pem() const {
  return CertificatePem(parts_->certificate);
}

std::string CallerCa::der() const {
  BIO* const bio = BIO_new(BIO_s_mem());
  i2d_X509_bio(bio, parts_->certificate);
  return Text(bio);
}

IssuedPair CallerCa::Issue(const IssueOptions& options) const {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const certificate =
      Begin(options.common_name, key, X509_get_subject_name(parts_->certificate),
            options.expired ? -5 * kDay : -kDay, options.expired ? -2 * kDay : 5 * kDay);
  Extend(certificate, parts_->certificate, NID_basic_constraints, "critical,CA:FALSE");
  Extend(certificate, parts_->certificate, NID_ext_key_usage,
         options.for_client ? "clientAuth" : "serverAuth");
  if (!options.dns_name.empty())
    Extend(certificate, parts_->certificate, NID_subject_alt_name, "DNS:" + options.dns_name);
  X509_sign(certificate, parts_->key, EVP_sha256());
  BIO* const key_bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(key_bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  IssuedPair out{CertificatePem(certificate), Text(key_bio)};
  X509_free(certificate);
  EVP_PKEY_free(key);
  return out;
}

}  // namespace tw::fakes
