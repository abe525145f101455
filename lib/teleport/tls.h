// TLS with OpenSSL: the client handshake, and the established connection as a FarEnd. Internal to
// lib/teleport, hence OpenSSL types in the interface. Facts: reference page sections 5.2 to 5.6.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "teleport/credentials.h"
#include "teleport/far_end.h"
#include "teleport/wait.h"

namespace tw::teleport {

struct OpensslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <class T>
using Openssl = std::unique_ptr<T, OpensslDeleter>;

// One byte holds the length of a protocol's name (RFC 7301 section 3.1).
inline constexpr std::size_t kLongestProtocol = 255;

enum class Trust {
  kHostCas,         // only the CAs of the credentials
  kWeb,             // the system's CAs and those of the credentials
  kAnyCertificate,  // for looking around only: nothing secret is sent, nothing that matters is believed
};

struct TlsOptions {
  std::string peer;         // host:port, for messages
  std::string server_name;  // SNI, and the name that is verified
  std::vector<std::string> alpn;
  Trust trust = Trust::kHostCas;
  const Credentials* credentials = nullptr;  // required for kHostCas
  bool show_certificate = false;             // present the client certificate
};

// Why a handshake failed, as far as the search for a route needs to know it.
// kClosed: the peer ended the connection in the middle. kUnsayable: a name that no handshake can carry;
// nothing was sent. kUpgrade: no handshake was made, since the WebSocket for it did not come about.
enum class TlsCause {
  kNetwork,
  kClosed,
  kNotTls,
  kUntrusted,
  kWrongName,
  kDates,
  kAlpn,
  kRefusedUs,
  kUnsayable,
  kUpgrade,
  kOther
};

struct TlsFailure {
  TlsCause cause = TlsCause::kOther;
  Error error;
};

// Takes over the connected socket. On failure null, and `failure` is filled in.
std::unique_ptr<FarEnd> TlsConnect(UniqueFd fd, const TlsOptions& options, Waiter& waiter,
                                   TlsFailure& failure);

// An established connection (either role) as a far end. `peer` and `ours` are for messages: "127.0.0.1:3025",
// "user webhooks, expires ...".
std::unique_ptr<FarEnd> MakeTlsFarEnd(Openssl<SSL> ssl, UniqueFd fd, std::string peer, std::string ours);

}  // namespace tw::teleport
