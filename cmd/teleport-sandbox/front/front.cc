#include "front/front.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <vector>

#include "front/client_hello.h"

namespace tw::sandbox {
namespace {

constexpr std::chrono::seconds kHandshakeLimit{10};
constexpr std::size_t kMaxConnections = 512;
constexpr std::size_t kMaxHello = 64 * 1024;
// A hello that came in part only: how long to wait before looking again.
constexpr std::chrono::milliseconds kPeekPause{2};

UniqueFd Dial(const Address& address) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(address.port);
  if (::inet_pton(AF_INET, address.host.c_str(), &where.sin_addr) != 1) return UniqueFd();
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) return UniqueFd();
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
  return fd;
}

// The hello is looked at, not taken.
bool PeekHello(int fd, ClientHello& hello, const std::stop_token& stop) {
  std::vector<char> buffer(kMaxHello);
  const auto until = std::chrono::steady_clock::now() + kHandshakeLimit;
  while (std::chrono::steady_clock::now() < until && WaitFor(fd, POLLIN, kHandshakeLimit, stop)) {
    const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), MSG_PEEK | MSG_DONTWAIT);
    if (n <= 0) return false;
    const HelloState state = ParseClientHello({buffer.data(), static_cast<std::size_t>(n)}, hello);
    if (state != HelloState::kIncomplete) return state == HelloState::kComplete;
    std::this_thread::sleep_for(kPeekPause);
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<Front>> Front::Open(FrontOptions options) {
  std::unique_ptr<Front> front(new Front(std::move(options)));
  const WebAlpn alpn = front->options_.kind == FrontKind::kProxy ? WebAlpn::kProxy : WebAlpn::kStripped;
  auto acceptor = TlsAcceptor::Make(front->options_.web, alpn);
  if (!acceptor) return acceptor.error();
  front->acceptor_ = *std::move(acceptor);
  // Take waits for this lock, so that no connection is served before the listener is known.
  std::lock_guard lock(front->mutex_);
  auto listener =
      Listener::Open(front->options_.listen, [raw = front.get()](UniqueFd fd) { raw->Take(std::move(fd)); });
  if (!listener) return listener.error();
  front->listener_ = *std::move(listener);
  front->address_ = front->listener_->address();
  return front;
}

Front::~Front() {
  listener_.reset();
  std::lock_guard lock(mutex_);
  for (Connection& connection : connections_) connection.thread.request_stop();
  connections_.clear();
}

void Front::Suspend() {
  listener_->Suspend();
  CutAll();
}

void Front::Take(UniqueFd connection) {
  std::lock_guard lock(mutex_);
  std::erase_if(connections_, [](const Connection& one) { return one.done->load(); });
  if (connections_.size() >= kMaxConnections) return;
  auto shared = std::make_shared<UniqueFd>(std::move(connection));
  auto done = std::make_shared<std::atomic<bool>>(false);
  connections_.push_back({std::jthread([this, shared, done](const std::stop_token& stop) {
                            Route(std::move(*shared), stop);
                            *done = true;
                          }),
                          done});
}

void Front::Route(UniqueFd connection, const std::stop_token& stop) {
  if (options_.kind == FrontKind::kLoadBalancer) {
    ServeWeb(std::move(connection), stop);
    return;
  }
  ClientHello hello;
  if (!PeekHello(connection.get(), hello, stop)) {
    ::shutdown(connection.get(), SHUT_RDWR);
    return;
  }
  // Only the first protocol is looked at for a cluster, and before 8.0 none is.
  const bool routes = AtLeast(options_.release, 8) && !hello.protocols.empty();
  const auto cluster = routes ? ClusterOfRoute(hello.protocols.front()) : std::nullopt;
  if (!cluster) {
    ServeWeb(std::move(connection), stop);
  } else if (*cluster == options_.cluster) {
    options_.to_auth(std::move(connection));
  } else {
    ::shutdown(connection.get(), SHUT_RDWR);
  }
}

void Front::ServeWeb(UniqueFd connection, const std::stop_token& stop) const {
  const int raw = connection.get();
  {
    const auto stream =
        TlsStream::Accept(*acceptor_, UniqueFd(::fcntl(raw, F_DUPFD_CLOEXEC, 0)), kHandshakeLimit, stop);
    const bool http =
        stream && (*stream)->Protocol() != "h2" && (*stream)->Protocol() != "teleport-reversetunnel";
    if (http) {
      WebFacts facts;
      facts.release = options_.release;
      facts.cluster = options_.cluster;
      facts.public_address = address_.Text();
      facts.dial_auth = [this] { return Dial(options_.auth_address()); };
      WebEndpoint(std::move(facts)).Serve(**stream, stop);
    }
  }
  ::shutdown(raw, SHUT_RDWR);
}

}  // namespace tw::sandbox
