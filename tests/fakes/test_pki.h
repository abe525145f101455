// Certificates made at run time for tests: CAs, servers and clients with any subject and any dates. Wraps
// libcrypto; link tw_dep_crypto. Not for production keys.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tw::fakes {

struct CertificateSpec {
  std::string common_name;
  std::vector<std::string> organizations;
  std::map<std::string, std::string> other;  // subject attributes by OID
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  std::chrono::seconds starts{-60};  // relative to now
  std::chrono::seconds ends{3600};
  bool rsa = false;  // RSA 2048 instead of P-256
  bool is_ca = false;
};

struct KeyPair {
  std::string key_pem;  // PKCS#8
  std::string certificate_pem;
};

class TestCa {
 public:
  explicit TestCa(const std::string& cluster = "example", std::chrono::seconds ends = std::chrono::hours(24));
  ~TestCa();
  TestCa(TestCa&&) noexcept;

  const std::string& pem() const;
  KeyPair Issue(const CertificateSpec& spec) const;
  // As an Auth Service's: teleport.cluster.local and *.teleport.cluster.local.
  KeyPair IssueAuthServer() const;
  // As `tctl auth sign` makes it: user in CN, roles in O, cluster in 1.3.9999.1.7.
  KeyPair IssueUser(const std::string& user, std::vector<std::string> roles = {"access-plugin"}) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The same key in another form: "RSA PRIVATE KEY" or "EC PRIVATE KEY" (traditional DER).
std::string TraditionalKeyPem(const std::string& key_pem);
// The same key as OpenSSH writes it, "OPENSSH PRIVATE KEY" (RSA and P-256).
std::string OpensshKeyPem(const std::string& key_pem);

}  // namespace tw::fakes
