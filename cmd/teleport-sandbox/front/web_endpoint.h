// What a proxy's web port answers over HTTP: /webapi/find, /webapi/ping, and the connection upgrade, after
// which it is a byte pipe to the Auth Service. Facts: reference page sections 5.6 and 5.7. Any thread; one
// call a connection.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "front/tls_stream.h"
#include "front/web_socket.h"
#include "model/release.h"

namespace tw::sandbox {

struct WebFacts {
  Release release = Release::k18;
  std::string cluster;
  std::string public_address;           // host:port
  std::function<UniqueFd()> dial_auth;  // a connection to the Auth Service; may be empty
  std::chrono::milliseconds ping_interval = std::chrono::seconds(30);
};

class WebEndpoint {
 public:
  explicit WebEndpoint(WebFacts facts) : facts_(std::move(facts)) {}

  // Serves requests until the client goes, `stop` is requested or 30 s pass without one.
  void Serve(TlsStream& stream, std::stop_token stop) const;

 private:
  struct Head {
    std::string method;
    std::string path;
    bool old = false;  // HTTP/1.0: the connection ends with the answer
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string Header(std::string_view name) const;
  };

  static std::optional<Head> ParseHead(std::string_view text);
  std::string Answer(const Head& head) const;
  std::string Find(bool with_auth) const;
  void Upgrade(TlsStream& stream, const Head& head, std::string rest, std::stop_token stop) const;
  bool AcceptsRoute(const std::string& hello) const;
  void Pump(TlsStream& stream, FrameReader& reader, UniqueFd auth, std::string pending, bool pings,
            std::stop_token stop) const;

  const WebFacts facts_;
};

}  // namespace tw::sandbox
