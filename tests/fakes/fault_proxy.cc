#include "fakes/fault_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace tw::fakes {
namespace {

sockaddr_in Ipv4(const std::string& host, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  ::inet_pton(AF_INET, host.c_str(), &out.sin_addr);
  return out;
}

// Closing it then sends a reset.
void ResetOnClose(int fd) {
  const linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace

// One connection and its other half; what could not be written yet waits here.
struct FaultProxy::Pair {
  std::array<UniqueFd, 2> ends;
  std::array<std::vector<char>, 2> waiting;  // for the end of that number
  bool over = false;

  bool Read(std::size_t from) {
    std::array<char, 16384> buffer;
    const ssize_t got = ::recv(ends[from].get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
    auto& out = waiting[1 - from];
    out.insert(out.end(), buffer.begin(), buffer.begin() + got);
    return Write(1 - from);
  }
  bool Write(std::size_t to) {
    auto& out = waiting[to];
    if (out.empty()) return true;
    const ssize_t sent = ::send(ends[to].get(), out.data(), out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    out.erase(out.begin(), out.begin() + sent);
    return true;
  }
  // Reads no more from one end while the other is slow: the pressure goes back to the sender.
  pollfd Interest(std::size_t end) const {
    int events = waiting[1 - end].empty() ? POLLIN : 0;
    if (!waiting[end].empty()) events |= POLLOUT;
    return {ends[end].get(), static_cast<short>(events), 0};
  }
};

FaultProxy::FaultProxy(const Address& target)
    : target_(target),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
      bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  const sockaddr_in any = Ipv4("127.0.0.1", 0);
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0 ||
      ::listen(listener_.get(), 64) != 0)
    throw std::runtime_error("the fault proxy cannot listen");
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

FaultProxy::~FaultProxy() {
  thread_.request_stop();
  Ring();
  thread_.join();
}

std::string FaultProxy::address() const {
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  return "127.0.0.1:" + std::to_string(ntohs(bound.sin_port));
}

void FaultProxy::Stall() {
  stalled_ = true;
  Ring();
}

void FaultProxy::Flow() {
  stalled_ = false;
  Ring();
}

void FaultProxy::Cut() {
  cut_ = true;
  Ring();
}

void FaultProxy::Ring() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t done = ::write(bell_.get(), &one, sizeof one);
}

void FaultProxy::Take(UniqueFd client) {
  ++attempts_;
  const sockaddr_in where = Ipv4(target_.host, target_.port);
  UniqueFd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const bool refused =
      refuse_ || ::connect(server.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0;
  if (refused) return ResetOnClose(client.get());
  const int on = 1;
  for (const int fd : {client.get(), server.get()})
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto pair = std::make_unique<Pair>();
  pair->ends = {std::move(client), std::move(server)};
  pairs_.push_back(std::move(pair));
}

void FaultProxy::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (cut_.exchange(false)) {
      for (const auto& pair : pairs_) {
        for (const UniqueFd& end : pair->ends) ResetOnClose(end.get());
      }
      pairs_.clear();
    }
    const bool stalled = stalled_;
    std::vector<pollfd> polled{{bell_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const auto& pair : pairs_) {
      for (std::size_t end = 0; end < 2 && !stalled; ++end) polled.push_back(pair->Interest(end));
    }
    ::poll(polled.data(), polled.size(), -1);
    std::uint64_t rings = 0;
    [[maybe_unused]] const ssize_t read = ::read(bell_.get(), &rings, sizeof rings);
    std::size_t at = 2;
    for (const auto& pair : pairs_) {
      for (std::size_t end = 0; end < 2 && !stalled; ++end, ++at) {
        if (polled[at].revents != 0 && !(pair->Write(end) && pair->Read(end))) pair->over = true;
      }
    }
    std::erase_if(pairs_, [](const auto& pair) { return pair->over; });
    UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client) Take(std::move(client));
  }
}

}  // namespace tw::fakes
