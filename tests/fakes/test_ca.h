// A certificate authority made on the spot, for tests of client and server certificates.
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

class TestCa {
 public:
  explicit TestCa(const std::string& name);
  ~TestCa();
  TestCa(const TestCa&) = delete;
  TestCa& operator=(const TestCa&) = delete;

  std::string pem() const;
  std::string der() const;
  IssuedPair Issue(const IssueOptions& options) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tw::fakes
