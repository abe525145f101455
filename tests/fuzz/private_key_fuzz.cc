// PEM texts, private keys and certificates. An input that starts with '-' or a blank is a PEM text; else the
// bytes behind the first are taken as they would come out of a block.
#include <openssl/err.h>

#include "crypto/certificate.h"
#include "crypto/private_key.h"
#include "fuzz.h"

namespace {

using namespace tw;
using namespace tw::crypto;

void CheckKey(const Result<Secret>& key) {
  if (!key) {
    FUZZ_CHECK(key.error().kind == ErrorKind::kCredentials && fuzz::WellWorded(key.error()));
    return;
  }
  // PKCS#8 is the canonical form: read again it stays as it is.
  const auto again = ReadPrivateKey(PemEncode("PRIVATE KEY", key->Reveal()));
  FUZZ_CHECK(again && *again == *key);
}

void CheckCertificate(const Certificate& certificate) {
  FUZZ_CHECK(certificate.fingerprint.size() == 64 && !certificate.der.empty());
  const auto again = ReadCertificates(PemEncode("CERTIFICATE", certificate.der));
  FUZZ_CHECK(again && again->size() == 1 && again->front().fingerprint == certificate.fingerprint);
  FUZZ_CHECK(again->front().names == certificate.names);
}

void CheckPem(std::string_view text) {
  const auto scanned = ScanPem(text);
  if (!scanned) {
    FUZZ_CHECK(fuzz::WellWorded(scanned.error()));
    return;
  }
  for (const PemBlock& block : scanned->blocks) {
    FUZZ_CHECK(block.line > 0 && !block.der.empty());
    const auto again = ScanPem(PemEncode("X", block.der.Reveal()));
    FUZZ_CHECK(again && again->blocks.size() == 1 && again->blocks[0].der == block.der);
  }
  for (const PemLine& line : scanned->others) FUZZ_CHECK(!line.text.empty() && Trim(line.text) == line.text);
  CheckKey(ReadPrivateKey(text));
  const auto certificates = ReadCertificates(text);
  if (!certificates)
    FUZZ_CHECK(fuzz::WellWorded(certificates.error()));
  else
    for (const Certificate& one : *certificates) CheckCertificate(one);
}

void CheckDer(std::string_view der) {
  if (der.empty()) return;
  const PemBlock block{"PRIVATE KEY", Secret(std::string(der)), false, 1};
  const auto key = ReadPrivateKey(block);
  CheckKey(key);
  const auto certificate = ReadCertificate(der);
  if (certificate) CheckCertificate(*certificate);
  if (key) KeyMatches(*key, der);
  KeyMatches(Secret(std::string(der)), der);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::AsText(data, size);
  if (text.empty()) return 0;
  if (text[0] == '-' || text[0] == ' ') {
    CheckPem(text);
  } else {
    CheckDer(text.substr(1));
  }
  // A complaint left behind would be taken for one of the next TLS call in this thread.
  FUZZ_CHECK(ERR_peek_error() == 0);
  return 0;
}
