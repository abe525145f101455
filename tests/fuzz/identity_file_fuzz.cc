// Identity files: what is accepted holds a key, its certificate and CAs; what is refused is refused without
// repeating the file.
#include <openssl/err.h>

#include "crypto/private_key.h"
#include "fuzz.h"
#include "teleport/identity_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tw;
  const std::string_view text = fuzz::AsText(data, size);
  const auto identity = teleport::ParseIdentityFile(text);
  FUZZ_CHECK(ERR_peek_error() == 0);
  const auto marked = teleport::ParseIdentityFile(fuzz::WithCanary(text));
  FUZZ_CHECK(marked || !fuzz::TellsCanary(marked.error()));
  if (!identity) {
    FUZZ_CHECK(identity.error().kind == ErrorKind::kCredentials && fuzz::WellWorded(identity.error()));
    return 0;
  }
  FUZZ_CHECK(!identity->key.empty() && !identity->cas.empty());
  FUZZ_CHECK(crypto::KeyMatches(identity->key, identity->certificate.der));
  const auto again = teleport::ParseIdentityFile(text);
  FUZZ_CHECK(again && again->key == identity->key && again->certificate.der == identity->certificate.der);
  FUZZ_CHECK(again->cas.size() == identity->cas.size());
  return 0;
}
