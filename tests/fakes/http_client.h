// A small HTTP client over a raw loopback connection, plain or TLS: sends any bytes, so that tests can be
// rude, and reads one answer at a time. Every wait ends after `kPatience`. Not thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tw::fakes {

struct HttpReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  std::optional<std::string> Find(std::string_view name) const;
};

struct TlsClient {
  bool on = true;
  std::string certificate_pem;  // of the client; empty: none
  std::string key_pem;
  int max_version = 0;  // an OpenSSL constant such as TLS1_1_VERSION; 0: any
};

class HttpClient {
 public:
  static constexpr std::chrono::seconds kPatience{20};

  // "127.0.0.1:PORT", "[::1]:PORT" or "unix:PATH".
  explicit HttpClient(std::string address, TlsClient tls = {false, {}, {}, 0});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  bool Connect();    // TCP (from `source` when given) only
  bool Handshake();  // TLS; true at once without
  void FromAddress(std::string source) { source_ = std::move(source); }
  bool Send(std::string_view bytes);
  // Nullopt: the connection ended or time passed before a whole answer came.
  std::optional<HttpReply> Read(bool head_only = false);
  bool Ended();  // waits for the other side's end of the connection
  void Close();
  // SHA-256 of the server's certificate, hex; empty without TLS.
  std::string PeerFingerprint() const;

  // Connects when needed, sends a request with Host and Content-Length, reads the answer.
  std::optional<HttpReply> Do(std::string_view method, std::string_view target,
                              const std::vector<std::pair<std::string, std::string>>& headers = {},
                              std::string_view body = {});

 private:
  struct Tls;
  // Bytes read, 0 at the end, -1 on error or time-out.
  long ReadSome(char* out, std::size_t size);
  bool Fill();

  std::string address_;
  std::string source_;
  TlsClient options_;
  int fd_ = -1;
  std::unique_ptr<Tls> tls_;
  std::string buffer_;
};

}  // namespace tw::fakes
