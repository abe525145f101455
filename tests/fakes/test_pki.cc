#include "fakes/test_pki.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstdlib>

namespace tw::fakes {
namespace {

struct Free {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

void Must(bool fine) {
  if (!fine) std::abort();
}

Owned<EVP_PKEY> MakeKey(bool rsa) {
  return Owned<EVP_PKEY>(rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
}

std::string Text(BIO* bio) {
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<std::size_t>(length)};
}

std::string KeyPem(EVP_PKEY* key) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  Must(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return Text(bio.get());
}

std::string CertificatePem(X509* certificate) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  Must(PEM_write_bio_X509(bio.get(), certificate) == 1);
  return Text(bio.get());
}

void AddName(X509_NAME* name, const char* field, const std::string& value) {
  Must(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                  reinterpret_cast<const unsigned char*>(value.data()),
                                  static_cast<int>(value.size()), -1, 0) == 1);
}

void AddOid(X509_NAME* name, const std::string& oid, const std::string& value) {
  ASN1_OBJECT* object = OBJ_txt2obj(oid.c_str(), 1);
  Must(X509_NAME_add_entry_by_OBJ(name, object, MBSTRING_UTF8,
                                  reinterpret_cast<const unsigned char*>(value.data()),
                                  static_cast<int>(value.size()), -1, 0) == 1);
  ASN1_OBJECT_free(object);
}

void AddExtension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  Must(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

std::string SerialText() {
  unsigned char bytes[8];
  RAND_bytes(bytes, sizeof(bytes));
  std::string out;
  for (const unsigned char byte : bytes) out += std::to_string(byte);
  return out;
}

void Fill(X509* certificate, const CertificateSpec& spec) {
  X509_set_version(certificate, X509_VERSION_3);
  unsigned char serial[8];
  RAND_bytes(serial, sizeof(serial));
  serial[0] = 1;
  BIGNUM* number = BN_bin2bn(serial, sizeof(serial), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
  X509_gmtime_adj(X509_getm_notBefore(certificate), spec.starts.count());
  X509_gmtime_adj(X509_getm_notAfter(certificate), spec.ends.count());
  X509_NAME* name = X509_get_subject_name(certificate);
  for (const std::string& organization : spec.organizations) AddName(name, "O", organization);
  if (!spec.common_name.empty()) AddName(name, "CN", spec.common_name);
  for (const auto& [oid, value] : spec.other) AddOid(name, oid, value);
  AddExtension(certificate, NID_basic_constraints, spec.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  std::string names;
  for (const std::string& dns : spec.dns_names) names += (names.empty() ? "DNS:" : ",DNS:") + dns;
  for (const std::string& ip : spec.ip_addresses) names += (names.empty() ? "IP:" : ",IP:") + ip;
  if (!names.empty()) AddExtension(certificate, NID_subject_alt_name, names);
}

}  // namespace

struct TestCa::Impl {
  std::string cluster;
  Owned<EVP_PKEY> key;
  Owned<X509> certificate;
  std::string pem;
};

TestCa::TestCa(const std::string& cluster, std::chrono::seconds ends) : impl_(std::make_unique<Impl>()) {
  impl_->cluster = cluster;
  impl_->key = MakeKey(false);
  impl_->certificate.reset(X509_new());
  CertificateSpec spec;
  spec.common_name = cluster;
  spec.organizations = {cluster};
  spec.other = {{"2.5.4.5", SerialText()}};  // as Teleport's: CAs of one cluster differ in it
  spec.is_ca = true;
  spec.starts = std::chrono::hours(-24 * 30);
  spec.ends = ends;
  X509* certificate = impl_->certificate.get();
  Fill(certificate, spec);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  X509_set_pubkey(certificate, impl_->key.get());
  Must(X509_sign(certificate, impl_->key.get(), EVP_sha256()) > 0);
  impl_->pem = CertificatePem(certificate);
}

TestCa::~TestCa() = default;
TestCa::TestCa(TestCa&&) noexcept = default;

const std::string& TestCa::pem() const {
  return impl_->pem;
}

KeyPair TestCa::Issue(const CertificateSpec& spec) const {
  const Owned<EVP_PKEY> key = MakeKey(spec.rsa);
  const Owned<X509> certificate(X509_new());
  Fill(certificate.get(), spec);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(impl_->certificate.get()));
  X509_set_pubkey(certificate.get(), key.get());
  Must(X509_sign(certificate.get(), impl_->key.get(), EVP_sha256()) > 0);
  return {KeyPem(key.get()), CertificatePem(certificate.get())};
}

KeyPair TestCa::IssueAuthServer() const {
  CertificateSpec spec;
  spec.common_name = "auth." + impl_->cluster;
  spec.organizations = {"Auth"};
  spec.dns_names = {"*.teleport.cluster.local", "teleport.cluster.local"};
  return Issue(spec);
}

KeyPair TestCa::IssueUser(const std::string& user, std::vector<std::string> roles) const {
  CertificateSpec spec;
  spec.common_name = user;
  spec.organizations = std::move(roles);
  spec.other = {{"1.3.9999.1.7", impl_->cluster}};
  return Issue(spec);
}

std::string TraditionalKeyPem(const std::string& key_pem) {
  const Owned<BIO> in(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  const Owned<BIO> out(BIO_new(BIO_s_mem()));
  Must(key != nullptr && PEM_write_bio_PrivateKey_traditional(out.get(), key.get(), nullptr, nullptr, 0,
                                                              nullptr, nullptr) == 1);
  return Text(out.get());
}

namespace {

std::string Number(std::uint32_t number) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(number >> static_cast<unsigned>(shift) & 0xffU);
  return out;
}

std::string Field(const std::string& bytes) {
  return Number(static_cast<std::uint32_t>(bytes.size())) + bytes;
}

// A positive integer as SSH writes it: big-endian, with a zero in front when the first bit is set (RFC 4251).
std::string Integer(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  Must(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_clear_free(number);
  if (!bytes.empty() && (static_cast<unsigned char>(bytes[0]) & 0x80U) != 0) bytes.insert(0, 1, '\0');
  return Field(bytes);
}

std::string Point(EVP_PKEY* key) {
  unsigned char bytes[256];
  std::size_t size = 0;
  Must(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, bytes, sizeof(bytes), &size) == 1);
  return Field({reinterpret_cast<const char*>(bytes), size});
}

}  // namespace

std::string OpensshKeyPem(const std::string& key_pem) {
  const Owned<BIO> in(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  EVP_PKEY* raw = key.get();
  std::string secret;
  if (EVP_PKEY_is_a(raw, "RSA") == 1) {
    secret = Field("ssh-rsa") + Integer(raw, OSSL_PKEY_PARAM_RSA_N) + Integer(raw, OSSL_PKEY_PARAM_RSA_E) +
             Integer(raw, OSSL_PKEY_PARAM_RSA_D) + Integer(raw, OSSL_PKEY_PARAM_RSA_COEFFICIENT1) +
             Integer(raw, OSSL_PKEY_PARAM_RSA_FACTOR1) + Integer(raw, OSSL_PKEY_PARAM_RSA_FACTOR2);
  } else {
    secret = Field("ecdsa-sha2-nistp256") + Field("nistp256") + Point(raw) +
             Integer(raw, OSSL_PKEY_PARAM_PRIV_KEY);
  }
  const std::string inner = Number(7) + Number(7) + secret + Field("comment");
  const std::string bytes = std::string("openssh-key-v1") + '\0' + Field("none") + Field("none") + Field("") +
                            Number(1) + Field("public half, not looked at") + Field(inner);
  std::string base64(4 * (bytes.size() / 3 + 1), '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  base64.resize(static_cast<std::size_t>(length));
  for (std::size_t at = 70; at < base64.size(); at += 71) base64.insert(at, 1, '\n');
  return "-----BEGIN OPENSSH PRIVATE KEY-----\n" + base64 + "\n-----END OPENSSH PRIVATE KEY-----\n";
}

}  // namespace tw::fakes
