#include "teleport/tcp.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace tw::teleport {
namespace {

using namespace std::chrono_literals;

// A dead peer is noticed within 30 s: unanswered data after kUserTimeout, an idle line after 10 + 3 * 5 s.
constexpr int kKeepIdleSeconds = 10;
constexpr int kKeepIntervalSeconds = 5;
constexpr int kKeepCount = 3;
constexpr int kUserTimeoutMs = 25'000;
constexpr auto kShortestTry = 1s;

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

struct Lookup {
  int code = EAI_AGAIN;
  AddressList list{nullptr, freeaddrinfo};
  UniqueFd done;  // eventfd
};

void Resolve(const Address& address, Lookup& lookup) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const std::string host = address.host.empty() ? "localhost" : address.host;
  lookup.code = getaddrinfo(host.c_str(), std::to_string(address.port).c_str(), &hints, &list);
  if (lookup.code == EAI_NONAME || lookup.code == EAI_FAMILY) {
    hints.ai_flags = AI_NUMERICSERV;  // loopback addresses do not count as "configured"
    lookup.code = getaddrinfo(host.c_str(), std::to_string(address.port).c_str(), &hints, &list);
  }
  if (lookup.code == 0) lookup.list.reset(list);
}

// Numeric addresses need no name server and no thread.
AddressList Literal(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const bool found =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &list) == 0;
  return {found ? list : nullptr, freeaddrinfo};
}

Error Unreachable(std::string message, std::string hint = {}) {
  return {ErrorKind::kUnreachable, std::move(message), std::move(hint), true};
}

// getaddrinfo can neither be bounded nor cancelled: it runs in a thread of its own, which owns its half of
// the state and may outlive us by the resolver's own time-out.
Result<AddressList> LookUp(const Address& address, Waiter& waiter) {
  if (AddressList list = Literal(address)) return list;
  auto lookup = std::make_shared<Lookup>();
  lookup->done = UniqueFd(::eventfd(0, EFD_CLOEXEC));
  std::thread([lookup, address] {
    Resolve(address, *lookup);
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t done = ::write(lookup->done.get(), &one, sizeof(one));
  }).detach();
  if (Status ready = waiter.For(lookup->done.get(), POLLIN); !ready) {
    if (ready.error().kind == ErrorKind::kCancelled) return ready.error();
    return Unreachable(fmt::format("looking up {} timed out", address.host), "check the name server");
  }
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(lookup->done.get(), &count, sizeof(count));
  if (lookup->code != 0) {
    return Unreachable(
        fmt::format("the name {} cannot be resolved: {}", address.host, gai_strerror(lookup->code)),
        "check teleport.addr and the name server");
  }
  return std::move(lookup->list);
}

void SetOption(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof(value));
}

void NoticeDeadPeers(int fd) {
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepIdleSeconds);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepIntervalSeconds);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepCount);
  SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs);
}

Result<UniqueFd> ConnectOne(const addrinfo& to, const Address& address, Waiter& waiter) {
  UniqueFd fd(::socket(to.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return Unreachable(fmt::format("no socket: {}", std::strerror(errno)));
  NoticeDeadPeers(fd.get());
  int error = ::connect(fd.get(), to.ai_addr, to.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    if (Status ready = waiter.For(fd.get(), POLLOUT); !ready) {
      if (ready.error().kind == ErrorKind::kCancelled) return ready.error();
      return Unreachable(fmt::format("connecting to {} timed out", address.Text()),
                         "check teleport.addr and the firewall");
    }
    socklen_t size = sizeof(error);
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error == ECONNREFUSED) {
    return Unreachable(fmt::format("{} refused the connection", address.Text()),
                       "nothing listens there: check teleport.addr (Auth Service 3025, proxy 443 or 3080)");
  }
  if (error != 0)
    return Unreachable(fmt::format("cannot connect to {}: {}", address.Text(), std::strerror(error)));
  return fd;
}

}  // namespace

Result<UniqueFd> ConnectTcp(const Address& address, Waiter& waiter) {
  const Result<AddressList> found = LookUp(address, waiter);
  if (!found) return found.error();
  std::vector<const addrinfo*> addresses;
  for (const addrinfo* one = found->get(); one != nullptr; one = one->ai_next) addresses.push_back(one);
  Error last = Unreachable(fmt::format("the name {} has no address", address.host));
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto left = waiter.deadline() - std::chrono::steady_clock::now();
    const auto share =
        std::max<Deadline::duration>(left / static_cast<int>(addresses.size() - i), kShortestTry);
    Waiter turn(std::min(waiter.deadline(), std::chrono::steady_clock::now() + share), waiter.stop());
    Result<UniqueFd> fd = ConnectOne(*addresses[i], address, turn);
    if (fd) return fd;
    last = fd.error();
    if (last.kind == ErrorKind::kCancelled) break;
  }
  return last;
}

}  // namespace tw::teleport
