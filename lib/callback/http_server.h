// HttpServer: the port to an HTTP/1.1 listener, for callbacks (HTTPS) and for diagnostics (plain HTTP, own
// instance). The adapter (mhd/) lives in a private module; LoadHttpServer loads it on first use.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/secret.h"

namespace tw::callback {

// From a certificate that was verified against the client CA. An unverified one is never reported.
struct ClientCertificate {
  std::string common_name;         // of the subject, may be empty
  std::vector<std::string> names;  // DNS names, e-mail addresses and URIs of the subject alternative name
};

struct HttpRequest {
  std::string method;  // as sent
  std::string target;  // request target as sent: not decoded, with its query
  std::vector<std::pair<std::string, std::string>> headers;  // in order, with repetitions
  std::string body;
  std::string peer;  // numeric address without port, or "unix"
  bool tls = false;
  std::optional<ClientCertificate> client_certificate;
  SteadyTime deadline = SteadyTime::max();  // when the client's time for this request is over
};

struct HttpResponse {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool close = false;  // end the connection after this answer
};

// Called from the server's worker threads, several at once. `stop` is requested when the server gives up
// waiting; the call should then return soon. Must not throw.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual HttpResponse Handle(const HttpRequest& request, std::stop_token stop) = 0;
  // The server's own answer (status and reason), so that it has the shape of the handler's others: 413 body,
  // 431 head, 400 framing, 503 all workers busy.
  // `request` holds what was read by then.
  virtual HttpResponse Refuse(const HttpRequest& request, int status, std::string_view reason) = 0;
};

// What a TLS listener shows and demands. See tls_files.h for how it comes from files.
struct TlsMaterial {
  Secret key_der;                      // PKCS#8
  std::vector<std::string> chain_der;  // leaf first
  std::vector<std::string> client_ca_der;
  bool require_client_certificate = false;  // else it is optional; without client_ca_der none is asked for
};

struct HttpServerOptions {
  std::string listen;  // "host:port", ":port" (all addresses, both families), "unix:PATH" or "systemd"
  std::optional<TlsMaterial> tls;  // TLS 1.2 or newer; nullopt: plain HTTP
  std::size_t max_body = 64 * 1024;
  std::size_t max_head = 16 * 1024;
  // From the first line of a request to the last byte of its body, and again until the answer is out. Counts
  // in all, not between bytes, so that dripping does not help.
  std::chrono::milliseconds request_timeout{10'000};
  std::chrono::milliseconds idle_timeout{30'000};  // between requests on one connection
  unsigned workers = 8;                            // requests handled at once
  std::size_t queue = 256;                         // requests waiting for a worker; beyond: 503
  // Beyond this the connection that has kept us waiting longest for a request, or for the rest of a slow one,
  // is closed in favour of the new one.
  std::size_t connections = 512;
  // Per IPv4 address or IPv6 /64; loopback, unix sockets and `trusted_peers` are free of it. 0: no limit.
  std::size_t connections_per_address = 64;
  std::vector<std::string> trusted_peers;  // addresses or CIDR
};

// Start, ReplaceTls, TrustPeers and Stop may be called from any thread, one at a time. The destructor stops.
class HttpServer {
 public:
  virtual ~HttpServer() = default;
  // Listens and answers through `handler`, which must outlive the server. Returns the bound address
  // ("127.0.0.1:41234", "unix:/run/x.sock"). Errors: kConfig (address, unusable pair), kFailure (in use, no
  // permission).
  virtual Result<std::string> Start(HttpServerOptions options, HttpHandler& handler) = 0;
  // For connections made from now on; on error the old material stays. Client certificates may be switched on
  // and off. Only for servers started with TLS.
  virtual Status ReplaceTls(TlsMaterial material) = 0;
  // Puts others in the place of HttpServerOptions::trusted_peers; on error the old ones stay.
  virtual Status TrustPeers(const std::vector<std::string>& peers) = 0;
  // No new connections; waits up to `drain` until every request under way is answered, then ends the rest.
  virtual void Stop(std::chrono::milliseconds drain) = 0;
};

// The libmicrohttpd adapter from its private module. `log` must outlive the server.
Result<std::unique_ptr<HttpServer>> LoadHttpServer(Logger& log);

}  // namespace tw::callback
