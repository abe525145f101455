#include "front/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tw::sandbox {
namespace {

constexpr std::chrono::milliseconds kSlice{50};
constexpr std::size_t kReadSize = 16 * 1024;
constexpr std::string_view kWebSocketGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

Error TlsError(const std::string& what) {
  std::array<char, 256> reason{};
  ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
  ERR_clear_error();
  return Error::Failure(what + ": " + reason.data());
}

// RFC 7301: the server may choose, or end the handshake with alert 120. HTTP/1.1 comes first, since it is
// what the web endpoint speaks.
int ChooseProtocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                   unsigned int size, void*) {
  static constexpr std::array<std::string_view, 3> kServed{"http/1.1", "h2", "teleport-reversetunnel"};
  for (const std::string_view served : kServed) {
    for (unsigned int at = 0; at < size; at += 1U + offered[at]) {
      const std::string_view name(reinterpret_cast<const char*>(offered + at + 1), offered[at]);
      if (name != served) continue;
      *out = offered + at + 1;
      *out_size = offered[at];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

bool WaitFor(int fd, short events, std::chrono::milliseconds limit, const std::stop_token& stop) {
  for (auto left = limit; left.count() > 0 && !stop.stop_requested(); left -= kSlice) {
    pollfd one{fd, events, 0};
    if (::poll(&one, 1, static_cast<int>(std::min(left, kSlice).count())) > 0)
      return (one.revents & POLLNVAL) == 0;
  }
  return false;
}

struct TlsAcceptor::Impl {
  std::unique_ptr<SSL_CTX, Free> context;
};

TlsAcceptor::TlsAcceptor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsAcceptor::~TlsAcceptor() = default;

Result<std::unique_ptr<TlsAcceptor>> TlsAcceptor::Make(const ServerIdentity& identity, WebAlpn alpn) {
  auto impl = std::make_unique<Impl>();
  impl->context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = impl->context.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  const auto memory = [](const std::string& pem) {
    return std::unique_ptr<BIO, Free>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  };
  const std::unique_ptr<X509, Free> certificate(
      PEM_read_bio_X509(memory(identity.certificate_pem).get(), nullptr, nullptr, nullptr));
  const std::unique_ptr<EVP_PKEY, Free> key(
      PEM_read_bio_PrivateKey(memory(identity.key_pem).get(), nullptr, nullptr, nullptr));
  if (!certificate || !key || SSL_CTX_use_certificate(context, certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return TlsError("cannot use the web certificate");
  }
  if (alpn == WebAlpn::kProxy) SSL_CTX_set_alpn_select_cb(context, ChooseProtocol, nullptr);
  return std::unique_ptr<TlsAcceptor>(new TlsAcceptor(std::move(impl)));
}

struct TlsStream::Impl {
  UniqueFd fd;
  std::unique_ptr<SSL, Free> ssl;

  // What to wait for after `result`; 0: it is over.
  short Wanted(int result) const {
    switch (SSL_get_error(ssl.get(), result)) {
      case SSL_ERROR_WANT_READ:
        return POLLIN;
      case SSL_ERROR_WANT_WRITE:
        return POLLOUT;
      default:
        return 0;
    }
  }
};

TlsStream::TlsStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

TlsStream::~TlsStream() {
  SSL_shutdown(impl_->ssl.get());
  ERR_clear_error();
}

Result<std::unique_ptr<TlsStream>> TlsStream::Accept(TlsAcceptor& acceptor, UniqueFd fd,
                                                     std::chrono::milliseconds limit, std::stop_token stop) {
  auto impl = std::make_unique<Impl>();
  impl->fd = std::move(fd);
  impl->ssl.reset(SSL_new(acceptor.impl_->context.get()));
  SSL_set_fd(impl->ssl.get(), impl->fd.get());
  for (;;) {
    ERR_clear_error();
    const int result = SSL_accept(impl->ssl.get());
    if (result == 1) return std::unique_ptr<TlsStream>(new TlsStream(std::move(impl)));
    const short wanted = impl->Wanted(result);
    if (wanted == 0) return TlsError("TLS handshake failed");
    if (!WaitFor(impl->fd.get(), wanted, limit, stop)) return Error::Failure("TLS handshake took too long");
  }
}

std::string TlsStream::Protocol() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(impl_->ssl.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

int TlsStream::fd() const {
  return impl_->fd.get();
}
bool TlsStream::Pending() const {
  return SSL_pending(impl_->ssl.get()) > 0;
}

Result<std::string> TlsStream::ReadSome() {
  std::string bytes(kReadSize, '\0');
  ERR_clear_error();
  const int n = SSL_read(impl_->ssl.get(), bytes.data(), static_cast<int>(bytes.size()));
  if (n > 0) {
    bytes.resize(static_cast<std::size_t>(n));
    return bytes;
  }
  if (impl_->Wanted(n) == 0) return Error::Failure("connection closed");
  return std::string();
}

Status TlsStream::Write(std::string_view bytes, std::chrono::milliseconds limit, std::stop_token stop) {
  while (!bytes.empty()) {
    ERR_clear_error();
    const int n = SSL_write(impl_->ssl.get(), bytes.data(), static_cast<int>(bytes.size()));
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    const short wanted = impl_->Wanted(n);
    if (wanted == 0) return TlsError("cannot write");
    if (!WaitFor(impl_->fd.get(), wanted, limit, stop)) return Error::Failure("the peer does not read");
  }
  return {};
}

std::string WebSocketAccept(const std::string& key) {
  const std::string text = key + std::string(kWebSocketGuid);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return Base64Encode({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace tw::sandbox
