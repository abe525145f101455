// X.509 certificates, as far as this program reads them. Plain values; wraps libcrypto; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace tw::crypto {

struct Certificate {
  std::string common_name;                   // of the subject
  std::vector<std::string> organizations;    // subject O, in order (for Teleport users: role names)
  std::vector<std::string> usages;           // subject OU (for Teleport users: restrictions)
  std::map<std::string, std::string> other;  // subject attributes by OID in dotted form; the last one wins
  std::string subject;                       // one line, for people
  std::string issuer;
  std::string issuer_common_name;
  std::string issuer_organization;
  std::vector<std::string> names;  // DNS names and IP addresses it is valid for
  SystemTime not_before;
  SystemTime not_after;
  std::string fingerprint;  // SHA-256 of the whole certificate, hex
  std::string der;

  bool ValidAt(SystemTime time) const { return not_before <= time && time <= not_after; }
};

Result<Certificate> ReadCertificate(std::string_view der);
// Every certificate in a PEM text, in order; other blocks and lines are passed over. Errors (kCredentials)
// carry no file name; a text without any certificate is one.
Result<std::vector<Certificate>> ReadCertificates(std::string_view pem);

}  // namespace tw::crypto
