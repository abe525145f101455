// A blocking keep-alive HTTP client, plain or over TLS, for one thread.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

namespace load {

struct SslCtxFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class Client {
 public:
  // `ca_file` empty: plain HTTP.
  Client(int port, const std::string& ca_file);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // For clients that go about it by hand. False when the connection broke.
  bool Open() { return fd_ >= 0 || Connect(); }
  bool Put(std::string_view bytes);
  bool Gone() const;  // the other side has ended it; plain connections only
  void Close();

  // Sends one request and reads its whole answer. The status; 0 when the connection broke (the next call
  // connects again).
  int Exchange(const std::string& request);

 private:
  bool Connect();
  long Write(const char* data, std::size_t size);
  long Read(char* data, std::size_t size);

  const int port_;
  std::unique_ptr<SSL_CTX, SslCtxFree> context_;
  std::unique_ptr<SSL, SslFree> ssl_;
  int fd_ = -1;
};

}  // namespace load
