#include "fakes/http_receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "base/text.h"
#include "base/unique_fd.h"

namespace tw::fakes {
namespace {

struct ContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Context = std::unique_ptr<SSL_CTX, ContextFree>;
using Bio = std::unique_ptr<BIO, BioFree>;

Bio Memory(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

void Demand(bool right, const char* what) {
  if (!right) throw std::runtime_error(what);
}

X509* ReadCertificate(const std::string& pem) {
  return PEM_read_bio_X509(Memory(pem).get(), nullptr, nullptr, nullptr);
}

Context MakeContext(const ReceiverTls& tls) {
  Context context(SSL_CTX_new(TLS_server_method()));
  X509* certificate = ReadCertificate(tls.certificate_pem);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(Memory(tls.key_pem).get(), nullptr, nullptr, nullptr);
  Demand(SSL_CTX_use_certificate(context.get(), certificate) == 1, "certificate");
  Demand(SSL_CTX_use_PrivateKey(context.get(), key) == 1, "key");
  X509_free(certificate);
  EVP_PKEY_free(key);
  if (!tls.client_ca_pem.empty()) {
    X509* ca = ReadCertificate(tls.client_ca_pem);
    Demand(X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), ca) == 1, "client CA");
    X509_free(ca);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

UniqueFd Listen(int& port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Demand(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  Demand(listen(fd.get(), 512) == 0, "listen");
  socklen_t length = sizeof address;
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length);
  port = ntohs(address.sin_port);
  return fd;
}

// Plain or TLS bytes of one connection.
class Stream {
 public:
  Stream(int fd, SSL_CTX* context) : fd_(fd) {
    if (context == nullptr) return;
    ssl_.reset(SSL_new(context));
    SSL_set_fd(ssl_.get(), fd);
    open_ = SSL_accept(ssl_.get()) == 1;
  }
  bool open() const { return open_; }
  bool has_client_certificate() const { return ssl_ && SSL_get0_peer_certificate(ssl_.get()) != nullptr; }
  // 0: ended.
  std::size_t Read(char* data, std::size_t size) {
    const auto got = ssl_ ? SSL_read(ssl_.get(), data, static_cast<int>(size)) : recv(fd_, data, size, 0);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  void Write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                             : send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

 private:
  int fd_;
  std::unique_ptr<SSL, SslFree> ssl_;
  bool open_ = true;
};

// Reads one request from `buffer` and the stream; false at the end.
bool ReadRequest(Stream& stream, std::string& buffer, SeenRequest& request) {
  char chunk[16384];
  const auto more = [&] {
    const std::size_t got = stream.Read(chunk, sizeof chunk);
    buffer.append(chunk, got);
    return got > 0;
  };
  std::size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) return false;
  }
  const std::string head = buffer.substr(0, end);
  buffer.erase(0, end + 4);
  std::size_t length = 0;
  bool first = true;
  for (std::string_view line : Split(head, '\n')) {
    line = Trim(line);
    if (std::exchange(first, false)) {
      const auto parts = Split(line, ' ');
      request.method = parts[0];
      request.target = parts.size() > 1 ? parts[1] : "";
      continue;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    request.headers.emplace_back(line.substr(0, colon), Trim(line.substr(colon + 1)));
    if (AsciiLower(line.substr(0, colon)) == "content-length")
      length = static_cast<std::size_t>(std::strtoul(request.headers.back().second.c_str(), nullptr, 10));
  }
  while (buffer.size() < length) {
    if (!more()) return false;
  }
  request.body = buffer.substr(0, length);
  buffer.erase(0, length);
  return true;
}

std::string Render(const ScriptedReply& reply) {
  std::string out = "HTTP/1.1 " + std::to_string(reply.status) + " Scripted\r\n";
  for (const auto& [name, value] : reply.headers) out.append(name).append(": ").append(value).append("\r\n");
  const bool bodiless = reply.status == 204 || reply.status == 304 || reply.status < 200;
  if (!bodiless) out += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
  out += "\r\n";
  if (!bodiless) out += reply.body;
  return out;
}

}  // namespace

struct HttpReceiver::Impl {
  Script script;
  Context context;
  bool secure = false;
  int port = 0;
  UniqueFd listener;
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  std::vector<SeenRequest> seen;
  std::size_t total = 0;
  bool keep = true;
  int connections = 0;
  bool stopping = false;
  std::set<int> open;
  std::vector<std::jthread> threads;
  std::jthread acceptor;

  void Accept() {
    while (true) {
      UniqueFd fd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      std::lock_guard lock(mutex);
      if (stopping) return;
      if (!fd) continue;
      const int one = 1;
      setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      open.insert(fd.get());
      const int number = ++connections;
      threads.emplace_back([this, raw = fd.Release(), number] { Serve(raw, number); });
    }
  }

  void Serve(int fd, int number) {
    {
      Stream stream(fd, context.get());
      std::string buffer;
      while (stream.open()) {
        SeenRequest request;
        request.connection = number;
        request.client_certificate = stream.has_client_certificate();
        if (!ReadRequest(stream, buffer, request)) break;
        if (!Answer(stream, std::move(request), buffer)) break;
      }
    }
    // Closed under the lock, so that the number cannot come back to life in between.
    std::lock_guard lock(mutex);
    open.erase(fd);
    close(fd);
  }

  bool Answer(Stream& stream, SeenRequest request, std::string& buffer) {
    int number = 0;
    {
      std::lock_guard lock(mutex);
      number = static_cast<int>(++total);
      if (keep) seen.push_back(request);
    }
    changed.notify_all();
    const ScriptedReply reply = script ? script(request, number) : ScriptedReply{};
    if (reply.hang) {
      SeenRequest never;
      while (ReadRequest(stream, buffer, never)) continue;
      return false;
    }
    if (reply.hang_up) return false;
    stream.Write(reply.raw.empty() ? Render(reply) : reply.raw);
    return reply.raw.empty();
  }
};

HttpReceiver::HttpReceiver(Script script, std::optional<ReceiverTls> tls) : impl_(std::make_unique<Impl>()) {
  std::signal(SIGPIPE, SIG_IGN);  // a client that gave up must not end the test; SSL_write has no flag for it
  impl_->script = std::move(script);
  if (tls) impl_->context = MakeContext(*tls);
  impl_->secure = tls.has_value();
  impl_->listener = Listen(impl_->port);
  impl_->acceptor = std::jthread([impl = impl_.get()] { impl->Accept(); });
}

HttpReceiver::~HttpReceiver() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    shutdown(impl_->listener.get(), SHUT_RDWR);
    for (const int fd : impl_->open) shutdown(fd, SHUT_RDWR);
  }
  impl_->acceptor.join();
  impl_->threads.clear();  // joins
}

int HttpReceiver::port() const {
  return impl_->port;
}

std::string HttpReceiver::Url(std::string_view path) const {
  std::string url = impl_->secure ? "https" : "http";
  return url.append("://127.0.0.1:").append(std::to_string(impl_->port)).append(path);
}

std::vector<SeenRequest> HttpReceiver::seen() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->seen;
}

std::size_t HttpReceiver::count() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->total;
}

int HttpReceiver::connections() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->connections;
}

bool HttpReceiver::WaitForRequests(std::size_t count, std::chrono::milliseconds timeout) const {
  std::unique_lock lock(impl_->mutex);
  return impl_->changed.wait_for(lock, timeout, [&] { return impl_->total >= count; });
}

void HttpReceiver::ForgetBodies() {
  std::lock_guard lock(impl_->mutex);
  impl_->keep = false;
}

std::string SeenRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (AsciiLower(key) == AsciiLower(name)) return value;
  }
  return {};
}

int SeenRequest::CountHeader(std::string_view name) const {
  return static_cast<int>(std::count_if(headers.begin(), headers.end(), [&](const auto& header) {
    return AsciiLower(header.first) == AsciiLower(name);
  }));
}

int ClosedPort() {
  int port = 0;
  const UniqueFd fd = Listen(port);
  return port;
}

}  // namespace tw::fakes
