#include "pki/ssh_line.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/text.h"

namespace tw::sandbox {
namespace {

constexpr std::string_view kEcAlgorithm = "ecdsa-sha2-nistp256";
constexpr std::uint32_t kUserCertificate = 1;

template <class N>
std::string BigEndian(N number) {
  std::string bytes;
  for (std::size_t i = sizeof(N); i-- > 0;) bytes += static_cast<char>(number >> (8U * i));
  return bytes;
}

std::string Field(std::string_view bytes) {
  return BigEndian(static_cast<std::uint32_t>(bytes.size())) + std::string(bytes);
}

// RFC 4251: a leading zero keeps the number positive.
std::string Mpint(const std::string& bytes) {
  const bool high = !bytes.empty() && (static_cast<unsigned char>(bytes[0]) & 0x80U) != 0;
  return Field(high ? std::string(1, '\0') + bytes : bytes);
}

std::string PublicFields(const KeyPair& key) {
  if (key.type() == KeyType::kEc) return Field("nistp256") + Field(key.PublicPoint());
  const auto [exponent, modulus] = key.RsaNumbers();
  return Mpint(exponent) + Mpint(modulus);
}

std::uint64_t UnixSeconds(SystemTime time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
}

}  // namespace

Result<std::string> SshCertificateLine(const KeyPair& subject, const KeyPair& authority,
                                       const std::string& principal, SystemTime from, SystemTime until,
                                       Random& random) {
  const std::string type = subject.type() == KeyType::kEc
                               ? fmt::format("{}-cert-v01@openssh.com", kEcAlgorithm)
                               : std::string("ssh-rsa-cert-v01@openssh.com");
  std::array<std::byte, 32> nonce;
  random.Fill(nonce);
  std::string blob = Field(type);
  blob += Field({reinterpret_cast<const char*>(nonce.data()), nonce.size()});
  blob += PublicFields(subject);
  blob += BigEndian(std::uint64_t{0});  // serial
  blob += BigEndian(kUserCertificate);
  blob += Field(principal);         // key id
  blob += Field(Field(principal));  // principals
  blob += BigEndian(UnixSeconds(from)) + BigEndian(UnixSeconds(until));
  blob += Field({});                               // critical options
  blob += Field(Field("permit-pty") + Field({}));  // extensions
  blob += Field({});                               // reserved
  blob += Field(Field(kEcAlgorithm) + PublicFields(authority));
  const auto signature = authority.SignEc(blob);
  if (!signature) return signature.error();
  blob += Field(Field(kEcAlgorithm) + Field(Mpint(signature->first) + Mpint(signature->second)));
  return type + " " + Base64Encode(blob);
}

std::string SshAuthorityLine(const KeyPair& authority, const std::string& cluster) {
  return fmt::format("@cert-authority *.{} {} {} type=host", cluster, kEcAlgorithm,
                     Base64Encode(Field(kEcAlgorithm) + PublicFields(authority)));
}

}  // namespace tw::sandbox
