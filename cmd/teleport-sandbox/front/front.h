// A port of the proxy: the ALPN router in front of the Auth Service, or the load balancer in front of that.
// Facts: reference page sections 5.5 and 5.6. Any thread.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "front/web_endpoint.h"
#include "service/listener.h"

namespace tw::sandbox {

enum class FrontKind {
  kProxy,  // connections that name a cluster go to the Auth Service untouched, the rest meet the web server
  kLoadBalancer,  // ends every TLS connection, knows no ALPN, passes HTTP on
};

struct FrontOptions {
  FrontKind kind = FrontKind::kProxy;
  Address listen;
  Release release = Release::k18;
  std::string cluster;
  ServerIdentity web;
  std::function<Address()> auth_address;
  std::function<void(UniqueFd)> to_auth;  // takes a whole connection over, its first bytes still unread
};

class Front {
 public:
  static Result<std::unique_ptr<Front>> Open(FrontOptions options);
  ~Front();

  const Address& address() const { return address_; }
  // As if the proxy were killed: connections are cut, new ones refused, until Resume.
  void Suspend();
  void CutAll() { listener_->CutAll(); }
  Status Resume() { return listener_->Resume(); }

 private:
  struct Connection {
    std::jthread thread;
    std::shared_ptr<std::atomic<bool>> done;
  };

  explicit Front(FrontOptions options) : options_(std::move(options)) {}
  void Take(UniqueFd connection);
  void Route(UniqueFd connection, const std::stop_token& stop);
  void ServeWeb(UniqueFd connection, const std::stop_token& stop) const;

  const FrontOptions options_;
  std::unique_ptr<TlsAcceptor> acceptor_;
  std::mutex mutex_;
  std::list<Connection> connections_;
  Address address_;  // of the listener, which may end before the last connection does
  std::unique_ptr<Listener> listener_;
};

}  // namespace tw::sandbox
