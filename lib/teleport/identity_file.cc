#include "teleport/identity_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "crypto/pem.h"
#include "crypto/private_key.h"

namespace tw::teleport {
namespace {

Error Bad(std::string message, std::string hint = "write the file anew with `tctl auth sign` or tbot") {
  return {ErrorKind::kCredentials, std::move(message), std::move(hint), true};
}

struct Parts {
  std::optional<Secret> key;
  std::vector<crypto::Certificate> certificates;
};

// A key that cannot be read is remembered: the reason is told only when no other block is a key.
Result<Parts> Sort(const crypto::PemText& text) {
  Parts parts;
  std::optional<Error> key_problem;
  for (const crypto::PemBlock& block : text.blocks) {
    Result<crypto::Certificate> certificate = crypto::ReadCertificate(block.der.Reveal());
    if (certificate) {
      parts.certificates.push_back(std::move(*certificate));
      continue;
    }
    Result<Secret> key = crypto::ReadPrivateKey(block);
    if (key && !parts.key) parts.key = std::move(*key);
    if (!key && !key_problem) key_problem = key.error().Within(fmt::format("line {}", block.line));
  }
  if (!parts.key && key_problem) return *key_problem;
  return parts;
}

bool IsSshCertificate(const crypto::PemLine& line) {
  const std::string_view word = std::string_view(line.text).substr(0, line.text.find(' '));
  return word.ends_with("-cert-v01@openssh.com");
}

}  // namespace

Result<IdentityFile> ParseIdentityFile(std::string_view text) {
  const Result<crypto::PemText> scanned = crypto::ScanPem(text);
  if (!scanned) return scanned.error();
  if (scanned->blocks.empty()) return Bad("is not an identity file: it holds no PEM block");
  Result<Parts> parts = Sort(*scanned);
  if (!parts) return parts.error();
  if (!parts->key) return Bad("holds no private key");
  if (parts->certificates.empty()) {
    return Bad("holds no TLS certificate",
               "sign it with a tctl that writes TLS certificates (--format=file)");
  }
  auto& certificates = parts->certificates;
  const auto own =
      std::find_if(certificates.begin(), certificates.end(),
                   [&](const crypto::Certificate& one) { return crypto::KeyMatches(*parts->key, one.der); });
  if (own == certificates.end()) return Bad("its private key belongs to none of its certificates");
  IdentityFile out;
  out.key = std::move(*parts->key);
  out.certificate = std::move(*own);
  certificates.erase(own);
  if (certificates.empty()) return Bad("holds no TLS CA certificate after the client certificate");
  out.cas = std::move(certificates);
  out.has_ssh_certificate = std::any_of(scanned->others.begin(), scanned->others.end(), IsSshCertificate);
  return out;
}

}  // namespace tw::teleport
