#include "crypto/certificate.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <memory>

#include "crypto/pem.h"
#include "crypto/private_key.h"

namespace tw::crypto {
namespace {

struct Free {
  void operator()(X509* x) const { X509_free(x); }
  void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
  void operator()(X509_EXTENSION* e) const { X509_EXTENSION_free(e); }
};

// A self-signed certificate whose subject alternative name is `names` in the notation of OpenSSL's
// configuration.
std::string SelfSigned(const char* names) {
  const std::unique_ptr<EVP_PKEY, Free> key(EVP_EC_gen("P-256"));
  const std::unique_ptr<X509, Free> x509(X509_new());
  X509_set_version(x509.get(), 2);
  X509_gmtime_adj(X509_getm_notBefore(x509.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(x509.get()), 3600);
  X509_set_pubkey(x509.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("plugin"), -1, -1, 0);
  X509_set_issuer_name(x509.get(), X509_get_subject_name(x509.get()));
  const std::unique_ptr<X509_EXTENSION, Free> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names));
  X509_add_ext(x509.get(), extension.get(), -1);
  X509_sign(x509.get(), key.get(), EVP_sha256());
  unsigned char* bytes = nullptr;
  const int length = i2d_X509(x509.get(), &bytes);
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  OPENSSL_free(bytes);
  return der;
}

TEST(ReadCertificate, ListsNamesAndAddresses) {
  const auto certificate =
      ReadCertificate(SelfSigned("DNS:teleport.cluster.local,IP:192.0.2.7,IP:2001:db8::1"));
  ASSERT_TRUE(certificate) << certificate.error().message;
  EXPECT_EQ(certificate->common_name, "plugin");
  EXPECT_EQ(certificate->names,
            (std::vector<std::string>{"teleport.cluster.local", "192.0.2.7", "2001:db8::1"}));
  EXPECT_TRUE(certificate->ValidAt(certificate->not_before));
  EXPECT_FALSE(certificate->ValidAt(certificate->not_after + std::chrono::seconds(1)));
}

// A peer may show such a certificate before it is trusted; reading 16 bytes of 3 was a read beyond the end.
TEST(ReadCertificate, PassesOverAddressesOfAnImpossibleLength) {
  for (const char* odd : {"DER:30:02:87:00", "DER:30:05:87:03:01:02:03", "DER:30:07:87:05:01:02:03:04:05"}) {
    const auto certificate = ReadCertificate(SelfSigned(odd));
    ASSERT_TRUE(certificate) << odd;
    EXPECT_TRUE(certificate->names.empty()) << odd;
  }
}

// What stays in the queue would be taken for a failure of the next TLS call in this thread.
TEST(ReadCertificate, LeavesNoComplaintInTheErrorQueue) {
  ERR_clear_error();
  EXPECT_FALSE(ReadCertificate("not a certificate"));
  EXPECT_EQ(ERR_peek_error(), 0U);
  EXPECT_FALSE(ReadPrivateKey(PemEncode("PRIVATE KEY", "not a key")));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(ReadCertificate, KeepsTheComplaintsOfOthers) {
  ERR_clear_error();
  ERR_raise(ERR_LIB_USER, 42);
  EXPECT_FALSE(ReadCertificate("not a certificate"));
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_error()), 42);
  ERR_clear_error();
}

TEST(ScanPem, RepeatsNothingOfADamagedLine) {
  for (const std::string line :
       {"-----BEGIN \x1b[2J-----", "-----BEGIN PRIVATE KEY----MC4CAQAwBQYDK2VwBCIEIDf", "-----BEGIN -----",
        "-----BEGIN PRIVATE KEY-----MC4CAQAwBQYDK2VwBCIEIDf-----END PRIVATE KEY-----"}) {
    const auto scanned = ScanPem(line + std::string("\nMC4CAQ==\n-----END X-----\n"));
    ASSERT_FALSE(scanned) << line;
    EXPECT_EQ(scanned.error().message.find('\x1b'), std::string::npos);
    EXPECT_EQ(scanned.error().message.find("MC4CAQ"), std::string::npos) << scanned.error().message;
    EXPECT_NE(scanned.error().message.find("line 1"), std::string::npos);
  }
}

}  // namespace
}  // namespace tw::crypto
