// Certificate authorities made at run time: key pairs, X.509 certificates, and signatures for SSH
// certificates. Wraps libcrypto; nothing of it leaks. Any thread, as long as one object is used by one thread
// at a time. Facts: reference page section 5.2.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace tw::sandbox {

enum class KeyType { kEc, kRsa };  // P-256, or 2048 bits as clusters before 17 issue

// A private key and its public half.
class KeyPair {
 public:
  // Error: kFailure when libcrypto cannot.
  static Result<KeyPair> Make(KeyType type);
  KeyPair(KeyPair&&) noexcept;
  KeyPair& operator=(KeyPair&&) noexcept;
  ~KeyPair();

  KeyType type() const;
  // PKCS#8 for EC keys, the traditional form ("RSA PRIVATE KEY") for RSA keys, as Teleport writes them.
  std::string PrivatePem() const;
  // EC: the uncompressed point. RSA: not available (empty).
  std::string PublicPoint() const;
  // RSA: exponent and modulus, big-endian without leading zeros.
  std::pair<std::string, std::string> RsaNumbers() const;
  // ECDSA over SHA-256 of `bytes`: r and s, big-endian without leading zeros. EC keys only.
  Result<std::pair<std::string, std::string>> SignEc(std::string_view bytes) const;

 private:
  friend class Authority;
  struct Impl;
  explicit KeyPair(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What a leaf certificate says.
struct LeafRequest {
  std::string common_name;
  std::vector<std::string> organizations;                        // role names
  std::vector<std::string> dns_names;                            // literal addresses are written as such
  std::vector<std::pair<std::string, std::string>> extra_names;  // dotted OID and text, in the subject
  SystemTime not_before;
  SystemTime not_after;
};

// What the server reads of a client's certificate besides its common name.
struct SubjectMarks {
  bool impersonated = false;     // signed on the auth host
  bool active_requests = false;  // carries access requests
};
SubjectMarks ReadSubject(const std::string& certificate_pem);

// Subject names of Teleport's own (section 5.2).
inline constexpr const char* kOidCluster = "1.3.9999.1.7";
inline constexpr const char* kOidImpersonator = "1.3.9999.2.7";
inline constexpr const char* kOidActiveRequests = "1.3.9999.2.8";

class Authority {
 public:
  // A self-signed CA, named after `organization` in O and CN as Teleport's are, good from `now` for ten
  // years.
  static Result<Authority> Make(const std::string& organization, SystemTime now);

  const std::string& CertificatePem() const { return certificate_pem_; }
  const KeyPair& key() const { return key_; }
  // PEM of a certificate for `subject`, good for both ends of TLS.
  Result<std::string> Issue(const KeyPair& subject, const LeafRequest& leaf) const;

 private:
  Authority(KeyPair key, std::string certificate_pem)
      : key_(std::move(key)), certificate_pem_(std::move(certificate_pem)) {}
  KeyPair key_;
  std::string certificate_pem_;
};

}  // namespace tw::sandbox
