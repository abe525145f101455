#include "fakes/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "base/text.h"
#include "base/url.h"

namespace tw::fakes {
namespace {

BIO* TextBio(const std::string& text) {
  return BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
}

}  // namespace

struct HttpClient::Tls {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* session = nullptr;
  ~Tls() {
    SSL_free(session);
    SSL_CTX_free(context);
  }
};

std::optional<std::string> HttpReply::Find(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return std::nullopt;
}

HttpClient::HttpClient(std::string address, TlsClient tls)
    : address_(std::move(address)), options_(std::move(tls)) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
}
HttpClient::~HttpClient() {
  Close();
}

void HttpClient::Close() {
  tls_.reset();
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  buffer_.clear();
}

bool HttpClient::Connect() {
  Close();
  sockaddr_storage storage{};
  socklen_t length = 0;
  if (address_.starts_with("unix:")) {
    auto& name = reinterpret_cast<sockaddr_un&>(storage);
    name.sun_family = AF_UNIX;
    address_.copy(static_cast<char*>(name.sun_path), sizeof name.sun_path - 1, 5);
    length = sizeof name;
  } else {
    const auto parsed = ParseAddress(address_);
    if (!parsed) return false;
    if (parsed->host.find(':') != std::string::npos) {
      auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(parsed->port);
      inet_pton(AF_INET6, parsed->host.c_str(), &v6.sin6_addr);
      length = sizeof v6;
    } else {
      auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
      v4.sin_family = AF_INET;
      v4.sin_port = htons(parsed->port);
      inet_pton(AF_INET, parsed->host.c_str(), &v4.sin_addr);
      length = sizeof v4;
    }
  }
  fd_ = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{kPatience.count(), 0};
  const int on = 1;
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (storage.ss_family != AF_UNIX) ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!source_.empty()) {
    sockaddr_in from{};
    from.sin_family = AF_INET;
    inet_pton(AF_INET, source_.c_str(), &from.sin_addr);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) return false;
  }
  return ::connect(fd_, reinterpret_cast<const sockaddr*>(&storage), length) == 0;
}

bool HttpClient::Handshake() {
  if (!options_.on) return true;
  tls_ = std::make_unique<Tls>();
  if (options_.max_version != 0) {
    SSL_CTX_set_security_level(tls_->context, 0);
    SSL_CTX_set_min_proto_version(tls_->context, 0);
    SSL_CTX_set_max_proto_version(tls_->context, options_.max_version);
  }
  if (!options_.certificate_pem.empty()) {
    BIO* const certificate_bio = TextBio(options_.certificate_pem);
    BIO* const key_bio = TextBio(options_.key_pem);
    X509* const certificate = PEM_read_bio_X509(certificate_bio, nullptr, nullptr, nullptr);
    EVP_PKEY* const key = PEM_read_bio_PrivateKey(key_bio, nullptr, nullptr, nullptr);
    const bool used = SSL_CTX_use_certificate(tls_->context, certificate) == 1 &&
                      SSL_CTX_use_PrivateKey(tls_->context, key) == 1;
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(certificate_bio);
    BIO_free(key_bio);
    if (!used) return false;
  }
  tls_->session = SSL_new(tls_->context);
  SSL_set_fd(tls_->session, fd_);
  return SSL_connect(tls_->session) == 1;
}

bool HttpClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const long sent = tls_ ? SSL_write(tls_->session, bytes.data(), static_cast<int>(bytes.size()))
                           : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

long HttpClient::ReadSome(char* out, std::size_t size) {
  return tls_ ? SSL_read(tls_->session, out, static_cast<int>(size)) : ::recv(fd_, out, size, 0);
}

bool HttpClient::Fill() {
  std::array<char, 4096> chunk{};
  const long count = ReadSome(chunk.data(), chunk.size());
  if (count <= 0) return false;
  buffer_.append(chunk.data(), static_cast<std::size_t>(count));
  return true;
}

std::optional<HttpReply> HttpClient::Read(bool head_only) {
  std::size_t head = 0;
  while ((head = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) return std::nullopt;
  }
  HttpReply reply;
  std::size_t length = 0;
  const std::string text = buffer_.substr(0, head);
  buffer_.erase(0, head + 4);
  for (const std::string_view line : Split(text, '\n')) {
    const std::string_view trimmed = Trim(line);
    if (trimmed.starts_with("HTTP/")) {
      reply.status = std::stoi(std::string(trimmed.substr(9, 3)));
      continue;
    }
    const auto colon = trimmed.find(':');
    reply.headers.emplace_back(AsciiLower(trimmed.substr(0, colon)), Trim(trimmed.substr(colon + 1)));
    if (reply.headers.back().first == "content-length") length = std::stoul(reply.headers.back().second);
  }
  if (head_only) return reply;
  while (buffer_.size() < length) {
    if (!Fill()) return std::nullopt;
  }
  reply.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  return reply;
}

bool HttpClient::Ended() {
  std::array<char, 1024> chunk{};
  for (;;) {
    const long count = tls_ && tls_->session != nullptr ? SSL_read(tls_->session, chunk.data(), chunk.size())
                                                        : ::recv(fd_, chunk.data(), chunk.size(), 0);
    if (count > 0) continue;
    if (tls_ && tls_->session != nullptr) return true;
    return count == 0 || errno == ECONNRESET;
  }
}

std::string HttpClient::PeerFingerprint() const {
  if (!tls_) return {};
  X509* const certificate = SSL_get1_peer_certificate(tls_->session);
  if (certificate == nullptr) return {};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  X509_free(certificate);
  return HexEncode({reinterpret_cast<const char*>(digest.data()), size});
}

std::optional<HttpReply> HttpClient::Do(std::string_view method, std::string_view target,
                                        const std::vector<std::pair<std::string, std::string>>& headers,
                                        std::string_view body) {
  if (fd_ < 0 && !(Connect() && Handshake())) return std::nullopt;
  std::string text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  if (!body.empty() || method == "POST") text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  text += "\r\n";
  text += body;
  if (!Send(text)) return std::nullopt;
  return Read(method == "HEAD");
}

}  // namespace tw::fakes
