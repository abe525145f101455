#include "teleport/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "base/duration.h"
#include "base/text.h"
#include "crypto/private_key.h"
#include "teleport/tls_failure.h"

namespace tw::teleport {
namespace {

// One read of the socket for several records.
constexpr std::size_t kReadAhead = 64UL * 1024;
constexpr std::size_t kShownOfName = 40;  // of a protocol name, in messages

Openssl<X509> ParseCertificate(const crypto::Certificate& certificate) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(certificate.der.data());
  return Openssl<X509>(d2i_X509(nullptr, &bytes, static_cast<long>(certificate.der.size())));
}

std::optional<crypto::Certificate> Read(X509* certificate) {
  unsigned char* bytes = nullptr;
  const int length = certificate == nullptr ? -1 : i2d_X509(certificate, &bytes);
  if (length <= 0) return std::nullopt;
  auto out =
      crypto::ReadCertificate({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length)});
  OPENSSL_free(bytes);
  return out ? std::optional(std::move(*out)) : std::nullopt;
}

int OnVerify(int ok, X509_STORE_CTX* store) {
  if (ok == 1) return 1;
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* report = ssl == nullptr ? nullptr : static_cast<VerifyReport*>(SSL_get_app_data(ssl));
  if (report != nullptr) {
    report->code = X509_STORE_CTX_get_error(store);
    report->depth = X509_STORE_CTX_get_error_depth(store);
    report->culprit = Read(X509_STORE_CTX_get_current_cert(store));
    report->leaf = Read(X509_STORE_CTX_get0_cert(store));
  }
  return 0;
}

// A name may come from a proxy that nobody verified.
Result<std::string> WireAlpn(const std::vector<std::string>& protocols, const std::string& peer) {
  std::string out;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > kLongestProtocol) {
      return Error{
          ErrorKind::kUnreachable,
          fmt::format("{} cannot be asked for {}...: such a name has {} bytes, and TLS allows {}", peer,
                      EscapeControls(protocol.substr(0, kShownOfName)), protocol.size(), kLongestProtocol),
          "the cluster name that the proxy tells is too long: is teleport.addr the right one?", true};
    }
    out += static_cast<char>(protocol.size());
    out += protocol;
  }
  return out;
}

void AddTrust(SSL_CTX* context, const TlsOptions& options) {
  if (options.trust == Trust::kAnyCertificate) return;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, OnVerify);
  if (options.trust == Trust::kWeb) SSL_CTX_set_default_verify_paths(context);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  // Each CA of the file is an anchor of its own, self-signed or not.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  if (options.credentials == nullptr) return;
  for (const crypto::Certificate& ca : options.credentials->cas) {
    const Openssl<X509> parsed = ParseCertificate(ca);
    if (parsed) X509_STORE_add_cert(store, parsed.get());
  }
}

bool ShowCertificate(SSL_CTX* context, const TlsOptions& options) {
  if (!options.show_certificate || options.credentials == nullptr) return true;
  const Openssl<X509> certificate = ParseCertificate(options.credentials->certificate);
  const std::shared_ptr<EVP_PKEY> key = crypto::ParsePrivateKey(options.credentials->key.Reveal());
  return certificate && key && SSL_CTX_use_certificate(context, certificate.get()) == 1 &&
         SSL_CTX_use_PrivateKey(context, key.get()) == 1;
}

Openssl<SSL_CTX> MakeContext(const TlsOptions& options) {
  Openssl<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
  if (!context) return nullptr;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // A peer that closes without close_notify has ended the stream; HTTP/2 sees by itself what is cut short.
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), kReadAhead);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  AddTrust(context.get(), options);
  if (!ShowCertificate(context.get(), options)) return nullptr;
  return context;
}

bool IsIpLiteral(const std::string& name) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(name.c_str());
  ASN1_OCTET_STRING_free(address);
  return address != nullptr;
}

bool SetNames(SSL* ssl, const TlsOptions& options, const std::string& alpn) {
  // The result of set_alpn_protos is inverted: 0 is success.
  if (!alpn.empty() && SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(alpn.data()),
                                           static_cast<unsigned>(alpn.size())) != 0) {
    return false;
  }
  if (IsIpLiteral(options.server_name)) {  // SNI holds names only (RFC 6066 section 3)
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), options.server_name.c_str()) == 1;
  }
  // As all clients of Teleport: names are only where they belong, so that nobody called like the Auth Service
  // can pass for it.
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return SSL_set_tlsext_host_name(ssl, options.server_name.c_str()) == 1 &&
         SSL_set1_host(ssl, options.server_name.c_str()) == 1;
}

std::string Ours(const TlsOptions& options) {
  if (!options.show_certificate || options.credentials == nullptr) return "none shown";
  const Credentials& own = *options.credentials;
  return fmt::format("{}: user {}, issued by {}, valid until {}", own.certificate_file, own.user(),
                     own.certificate.issuer_common_name, FormatTime(own.certificate.not_after));
}

bool Shake(SSL* ssl, int fd, const TlsOptions& options, const VerifyReport& report, Waiter& waiter,
           TlsFailure& failure) {
  for (;;) {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_connect(ssl);
    if (result == 1) return true;
    const int saved_errno = errno;
    const int error = SSL_get_error(ssl, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      failure = report.code != 0 ? VerifyFailure(report, options)
                                 : QueueFailure(error, saved_errno, options.peer, Ours(options));
      ERR_clear_error();
      return false;
    }
    if (Status ready = waiter.For(fd, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT); !ready) {
      failure = {TlsCause::kNetwork, ready.error()};
      if (ready.error().kind == ErrorKind::kTimeout) {
        failure.error = {ErrorKind::kUnreachable,
                         fmt::format("{} accepted the connection but did not answer in time", options.peer),
                         "check teleport.addr and the way there", true};
      }
      return false;
    }
  }
}

// How long the peer may take to say its first word once the handshake is over.
constexpr std::chrono::seconds kFirstWord{1};

// Not every server says why it does not take a certificate.
Error ClosedAfterHandshake(const TlsOptions& options, const Error& error) {
  return {error.kind,
          fmt::format("{}, right after our client certificate was shown ({})", error.message, Ours(options)),
          "it may be a certificate of another cluster, or of an authority that was replaced: see the Auth "
          "Service's log",
          true};
}

// In TLS 1.3 a peer refuses our certificate only after our side of the handshake is done. Were anything
// written by then, the connection would be reset and the alert that tells why be lost, so listen first:
// HTTP/2 servers speak without being asked. A peer that stays silent is let be.
bool HearFirstWord(SSL* ssl, int fd, const TlsOptions& options, Waiter& waiter, TlsFailure& failure) {
  Waiter patience(std::min(waiter.deadline(), std::chrono::steady_clock::now() + kFirstWord), waiter.stop());
  for (;;) {
    ERR_clear_error();
    errno = 0;
    char byte = 0;
    const int result = SSL_peek(ssl, &byte, 1);
    if (result > 0) return true;
    const int saved_errno = errno;
    const int error = SSL_get_error(ssl, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      failure = QueueFailure(error, saved_errno, options.peer, Ours(options));
      ERR_clear_error();
      if (failure.cause == TlsCause::kNetwork || failure.cause == TlsCause::kClosed) {
        // An Auth Service it was: no other route is the right one.
        failure = {TlsCause::kNetwork, ClosedAfterHandshake(options, failure.error)};
      }
      return false;
    }
    if (!patience.For(fd, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) return true;
  }
}

class TlsFarEnd final : public FarEnd {
 public:
  TlsFarEnd(Openssl<SSL> ssl, UniqueFd fd, std::string peer, std::string ours)
      : fd_(std::move(fd)), ssl_(std::move(ssl)), peer_(std::move(peer)), ours_(std::move(ours)) {}

  int fd() const override { return fd_.get(); }
  Io Read(char* buffer, std::size_t size, std::size_t& count) override {
    ERR_clear_error();
    errno = 0;
    if (SSL_read_ex(ssl_.get(), buffer, size, &count) == 1) return Io::kDone;
    return After(0, read_wait_);
  }
  Io Write(const char* bytes, std::size_t size, std::size_t& count) override {
    ERR_clear_error();
    errno = 0;
    if (SSL_write_ex(ssl_.get(), bytes, size, &count) == 1) return Io::kDone;
    return After(0, write_wait_);
  }
  short read_wait() const override { return read_wait_; }
  short write_wait() const override { return write_wait_; }
  void CloseWrite() override {
    ERR_clear_error();
    if (!failed_) SSL_shutdown(ssl_.get());
    ::shutdown(fd_.get(), SHUT_WR);
  }
  Error why() const override { return why_; }

 private:
  Io After(int result, short& wait) {
    const int saved_errno = errno;
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
      wait = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
      return Io::kWait;
    }
    why_ = QueueFailure(error, saved_errno, peer_, ours_).error;
    if (error == SSL_ERROR_ZERO_RETURN) return Io::kEnd;
    failed_ = true;
    return Io::kError;
  }

  UniqueFd fd_;
  Openssl<SSL> ssl_;
  std::string peer_;
  std::string ours_;
  short read_wait_ = POLLIN;
  short write_wait_ = POLLOUT;
  bool failed_ = false;
  Error why_{ErrorKind::kUnreachable, "the connection was closed", {}, true};
};

}  // namespace

std::unique_ptr<FarEnd> TlsConnect(UniqueFd fd, const TlsOptions& options, Waiter& waiter,
                                   TlsFailure& failure) {
  const Result<std::string> alpn = WireAlpn(options.alpn, options.peer);
  if (!alpn) {
    failure = {TlsCause::kUnsayable, alpn.error()};
    return nullptr;
  }
  const Openssl<SSL_CTX> context = MakeContext(options);
  Openssl<SSL> ssl(context ? SSL_new(context.get()) : nullptr);
  if (!ssl || SSL_set_fd(ssl.get(), fd.get()) != 1 || !SetNames(ssl.get(), options, *alpn)) {
    failure = QueueFailure(SSL_ERROR_SSL, 0, options.peer, Ours(options));
    return nullptr;
  }
  VerifyReport report;
  SSL_set_app_data(ssl.get(), &report);
  const bool done = Shake(ssl.get(), fd.get(), options, report, waiter, failure);
  SSL_set_app_data(ssl.get(), nullptr);
  if (!done) return nullptr;
  const unsigned char* chosen = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl.get(), &chosen, &length);
  const std::string protocol(reinterpret_cast<const char*>(chosen), length);
  if (std::find(options.alpn.begin(), options.alpn.end(), "h2") != options.alpn.end() && protocol != "h2") {
    failure = AlpnFailure(options.peer, protocol);
    return nullptr;
  }
  if (protocol == "h2" && options.show_certificate &&
      !HearFirstWord(ssl.get(), fd.get(), options, waiter, failure))
    return nullptr;
  return MakeTlsFarEnd(std::move(ssl), std::move(fd), options.peer, Ours(options));
}

std::unique_ptr<FarEnd> MakeTlsFarEnd(Openssl<SSL> ssl, UniqueFd fd, std::string peer, std::string ours) {
  return std::make_unique<TlsFarEnd>(std::move(ssl), std::move(fd), std::move(peer), std::move(ours));
}

}  // namespace tw::teleport
