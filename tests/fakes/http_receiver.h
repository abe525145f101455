// HttpReceiver: an HTTP server on 127.0.0.1 that answers from a script and remembers what it was sent. For
// tests only. All methods from any thread; the script is called from the connection's thread and must be
// thread-safe itself.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tw::fakes {

struct SeenRequest {
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;  // names as sent
  std::string body;
  int connection = 0;  // counts from 1
  bool client_certificate = false;

  std::string Header(std::string_view name) const;  // "" when missing
  int CountHeader(std::string_view name) const;
};

struct ScriptedReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  bool hang = false;     // never answer; the connection stays open until the client or Stop ends it
  bool hang_up = false;  // close without an answer
  std::string raw = {};  // sent as it is instead of all of the above, then closed
};

struct ReceiverTls {
  std::string certificate_pem;
  std::string key_pem;
  std::string client_ca_pem = {};  // demands a client certificate of this CA
};

class HttpReceiver {
 public:
  using Script = std::function<ScriptedReply(const SeenRequest&, int number)>;  // number counts from 1

  // Answers 200 to everything without a script.
  explicit HttpReceiver(Script script = nullptr, std::optional<ReceiverTls> tls = std::nullopt);
  ~HttpReceiver();
  HttpReceiver(const HttpReceiver&) = delete;
  HttpReceiver& operator=(const HttpReceiver&) = delete;

  int port() const;
  // "http://127.0.0.1:PORT" and the path, https:// with TLS.
  std::string Url(std::string_view path = "/") const;
  std::vector<SeenRequest> seen() const;
  int connections() const;
  // False when fewer came in time.
  bool WaitForRequests(std::size_t count, std::chrono::milliseconds timeout = std::chrono::seconds(20)) const;
  // Keeps only how many there were, for load tests.
  void ForgetBodies();
  std::size_t count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A port of 127.0.0.1 on which nobody listens.
int ClosedPort();

}  // namespace tw::fakes
