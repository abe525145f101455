#include "callback/listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "base/network.h"
#include "base/text.h"
#include "base/url.h"

namespace tw::callback {
namespace {

constexpr int kBacklog = 511;
constexpr int kFirstSystemdFd = 3;        // sd_listen_fds(3)
constexpr mode_t kUnixSocketMode = 0660;  // owner and group: a reverse proxy joins the group

std::string Reason(int error) {
  return std::generic_category().message(error);
}

Error CannotListen(std::string_view where, int error) {
  std::string hint;
  if (error == EADDRINUSE)
    hint = "another program, or another teleport-webhooks, listens there: choose another address";
  if (error == EACCES) {
    hint = where.starts_with("unix:") ? "let this user make files in that directory"
                                      : "ports below 1024 need the capability CAP_NET_BIND_SERVICE";
  }
  if (error == EADDRNOTAVAIL) hint = "this machine does not have that address";
  return {error == EACCES ? ErrorKind::kCredentials : ErrorKind::kFailure,
          fmt::format("cannot listen on {}: {}", where, Reason(error)), std::move(hint), error == EADDRINUSE};
}

std::string BoundText(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return "?";
  if (storage.ss_family == AF_UNIX) {
    const auto& name = reinterpret_cast<const sockaddr_un&>(storage);
    return fmt::format("unix:{}", static_cast<const char*>(name.sun_path));
  }
  AddressBytes bytes{};
  std::uint16_t port = 0;
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    bytes[10] = bytes[11] = 0xff;
    std::memcpy(bytes.data() + 12, &v4.sin_addr, 4);
    port = ntohs(v4.sin_port);
  } else {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    port = ntohs(v6.sin6_port);
  }
  return Address{FormatNumeric(bytes), port}.Text();
}

Result<UniqueFd> Bind(int family, const sockaddr* address, socklen_t length, bool both,
                      std::string_view where) {
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return CannotListen(where, errno);
  const int on = 1;
  const int v6_only = both ? 0 : 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // For the connections too: the handshake's small records shall not wait for the other side's
  // acknowledgements.
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (family == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
  if (::bind(fd.get(), address, length) != 0 || ::listen(fd.get(), kBacklog) != 0)
    return CannotListen(where, errno);
  return fd;
}

// All addresses of both families; IPv4 alone where the kernel has no IPv6.
Result<UniqueFd> BindAll(std::uint16_t port, std::string_view where) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  auto both = Bind(AF_INET6, reinterpret_cast<const sockaddr*>(&v6), sizeof v6, true, where);
  if (both || UniqueFd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0))) return both;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  return Bind(AF_INET, reinterpret_cast<const sockaddr*>(&v4), sizeof v4, false, where);
}

Result<UniqueFd> BindHost(const Address& address, std::string_view where) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &wanted, &found);
  if (error != 0) {
    return Error::Config(fmt::format("cannot listen on {}: {}", where, gai_strerror(error)),
                         "name an address of this machine in http.listen_addr");
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  const addrinfo* best = found;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (each->ai_family == AF_INET && best->ai_family != AF_INET) best = each;  // as Go did for names
  }
  // An IPv4 address in the clothes of IPv6 is for a socket of both families only.
  const bool mapped = best->ai_family == AF_INET6 &&
                      IN6_IS_ADDR_V4MAPPED(&reinterpret_cast<const sockaddr_in6*>(best->ai_addr)->sin6_addr);
  return Bind(best->ai_family, best->ai_addr, best->ai_addrlen, mapped, where);
}

sockaddr_un UnixAddress(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(name.sun_path), sizeof name.sun_path - 1);
  return name;
}

// Removes a socket file that nobody listens on any more. Nothing but a dead socket is ever removed.
Status ClearStale(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode)) {
    return Error::Failure(
        fmt::format("cannot listen on unix:{}: there is a file of that name", EscapeControls(path)),
        "choose another path, or remove the file");
  }
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un name = UnixAddress(path);
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 ||
      errno != ECONNREFUSED) {
    return CannotListen("unix:" + EscapeControls(path), EADDRINUSE);
  }
  ::unlink(path.c_str());
  return {};
}

std::optional<int> EnvironmentNumber(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  int value = 0;
  const char* const end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// Of several sockets the one that is named for us. An unserved one would take connections and never answer.
Result<int> ChooseSystemdFd(int count) {
  if (count == 1) return kFirstSystemdFd;
  const char* const names = std::getenv("LISTEN_FDNAMES");
  const auto list = Split(names == nullptr ? "" : names, ':');
  const auto named = std::find(list.begin(), list.end(), "callback");
  if (named == list.end() || std::find(named + 1, list.end(), "callback") != list.end() ||
      named - list.begin() >= count) {
    return Error::Failure(
        fmt::format(
            "cannot listen on \"systemd\": {} sockets were passed on, and not just one is named callback",
            count),
        "keep one ListenStream=, or set FileDescriptorName=callback for the one to use");
  }
  return kFirstSystemdFd + static_cast<int>(named - list.begin());
}

}  // namespace

Result<Listener> Listener::Open(const std::string& spec) {
  if (spec == "systemd") return FromSystemd();
  if (spec.starts_with("unix:")) return OpenUnix(spec.substr(5));
  return OpenInternet(spec);
}

Result<Listener> Listener::OpenInternet(const std::string& spec) {
  const auto address = ParseAddress(spec);
  if (!address) return address.error();
  auto fd = address->host.empty() ? BindAll(address->port, spec) : BindHost(*address, spec);
  if (!fd) return fd.error();
  Listener out;
  out.fd_ = std::move(*fd);
  out.address_ = BoundText(out.fd());
  return out;
}

Result<Listener> Listener::OpenUnix(const std::string& path) {
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path) || path.find('\0') != std::string::npos) {
    return Error::Config(fmt::format("unix:{}: the path must be 1 to {} bytes long", EscapeControls(path),
                                     sizeof(sockaddr_un::sun_path) - 1));
  }
  const std::string where = "unix:" + EscapeControls(path);
  if (const Status cleared = ClearStale(path); !cleared) return cleared.error();
  Listener out;
  out.fd_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Linux gives the file the mode of the socket less the umask: there is no moment with a wider one.
  ::fchmod(out.fd(), kUnixSocketMode);
  const sockaddr_un name = UnixAddress(path);
  if (::bind(out.fd(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
    return CannotListen(where, errno);
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return CannotListen(where, errno);
  out.path_ = path;
  out.device_ = info.st_dev;
  out.inode_ = info.st_ino;
  // The umask must not take the group's right to connect away.
  if (::chmod(path.c_str(), kUnixSocketMode) != 0) return CannotListen(where, errno);
  if (::listen(out.fd(), kBacklog) != 0) return CannotListen(where, errno);
  out.address_ = "unix:" + path;
  return out;
}

Result<Listener> Listener::FromSystemd() {
  const auto pid = EnvironmentNumber("LISTEN_PID");
  const auto count = EnvironmentNumber("LISTEN_FDS");
  if (!pid || *pid != ::getpid() || !count || *count < 1) {
    return Error::Failure("cannot listen on \"systemd\": no socket was passed on",
                          "start the service through its .socket unit");
  }
  const auto chosen = ChooseSystemdFd(*count);
  if (!chosen) return chosen.error();
  const int fd = *chosen;
  int listening = 0;
  socklen_t length = sizeof listening;
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) != 0 || listening == 0) {
    return Error::Failure("cannot listen on \"systemd\": the socket that was passed on does not listen",
                          "use ListenStream= and Accept=no in the .socket unit");
  }
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  Listener out;
  out.fd_ = UniqueFd(fd);
  out.address_ = BoundText(fd);
  return out;
}

Listener& Listener::operator=(Listener&& other) noexcept {
  Remove();
  fd_ = std::move(other.fd_);
  address_ = std::move(other.address_);
  path_ = std::exchange(other.path_, {});
  device_ = other.device_;
  inode_ = other.inode_;
  return *this;
}

void Listener::Close() {
  fd_.Reset();
  Remove();
}

void Listener::Remove() {
  struct stat info {};
  if (path_.empty() || ::lstat(path_.c_str(), &info) != 0) return;
  if (info.st_dev == device_ && info.st_ino == inode_) ::unlink(path_.c_str());
  path_.clear();
}

}  // namespace tw::callback
