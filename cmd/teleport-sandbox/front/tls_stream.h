// The server side of a web TLS connection over a socket, for the fronts. Wraps OpenSSL. A stream belongs to
// one thread.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "pki/pki.h"

namespace tw::sandbox {

enum class WebAlpn {
  kProxy,     // chooses among http/1.1, h2 and teleport-reversetunnel; none of them offered: alert 120
  kStripped,  // no ALPN at all, as a layer-7 load balancer
};

// Certificate and ALPN habits shared by all streams of one front. Any thread.
class TlsAcceptor {
 public:
  static Result<std::unique_ptr<TlsAcceptor>> Make(const ServerIdentity& identity, WebAlpn alpn);
  ~TlsAcceptor();

 private:
  friend class TlsStream;
  struct Impl;
  explicit TlsAcceptor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class TlsStream {
 public:
  // Shakes hands within `limit`. `fd` must be non-blocking.
  static Result<std::unique_ptr<TlsStream>> Accept(TlsAcceptor& acceptor, UniqueFd fd,
                                                   std::chrono::milliseconds limit, std::stop_token stop);
  ~TlsStream();

  std::string Protocol() const;  // negotiated, may be empty
  int fd() const;
  bool Pending() const;  // decrypted bytes wait; the socket may stay silent
  // What is there now, at most 16 KiB. Empty: nothing yet. Error: closed or broken.
  Result<std::string> ReadSome();
  // Writes all, waiting up to `limit` for the peer.
  Status Write(std::string_view bytes, std::chrono::milliseconds limit, std::stop_token stop);

 private:
  struct Impl;
  explicit TlsStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// base64(SHA-1(key + the GUID of RFC 6455)): the answer to Sec-WebSocket-Key.
std::string WebSocketAccept(const std::string& key);

// Waits for `fd`. False: time out, stop, or the descriptor is broken.
bool WaitFor(int fd, short events, std::chrono::milliseconds limit, const std::stop_token& stop);

}  // namespace tw::sandbox
