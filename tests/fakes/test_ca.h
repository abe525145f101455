// A certificate authority made on the spot, for callers of the listener: certificates with one name, of
// clients or servers, good or expired. Teleport's own kind of certificates: test_pki.h.
#pragma once

#include <memory>
#include <string>

namespace tw::fakes {

struct IssuedPair {
  std::string certificate_pem;
  std::string key_pem;
};

struct IssueOptions {
  std::string common_name = {};
  std::string dns_name = {};  // subject alternative name, may be empty
  bool for_client = true;     // extended key usage: clientAuth, else serverAuth
  bool expired = false;
};

class CallerCa {
 public:
  explicit CallerCa(const std::string& name);
  ~CallerCa();
  CallerCa(const CallerCa&) = delete;
  CallerCa& operator=(const CallerCa&) = delete;

  std::string pem() const;
  std::string der() const;
  IssuedPair Issue(const IssueOptions& options) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tw::fakes
