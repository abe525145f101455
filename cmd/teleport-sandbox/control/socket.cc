#include "control/socket.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace tw::sandbox {
namespace {

constexpr std::size_t kMaxLine = 1 << 20;
constexpr std::size_t kMaxConnections = 32;
constexpr std::chrono::milliseconds kSlice{50};
constexpr std::chrono::seconds kIdleLimit{10};

Result<sockaddr_un> PathAddress(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error::Usage(fmt::format("{}: too long for a Unix socket", path), "choose a shorter --dir");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Error SocketError(const std::string& path, std::string_view what) {
  return Error::Failure(fmt::format("{}: {}: {}", path, what, std::strerror(errno)));
}

// Waits until there is something to read. False: time out or stop.
bool Readable(int fd, std::chrono::milliseconds timeout, const std::stop_token& stop) {
  for (auto left = timeout; left.count() > 0 && !stop.stop_requested(); left -= kSlice) {
    pollfd one{fd, POLLIN, 0};
    if (::poll(&one, 1, static_cast<int>(std::min(left, kSlice).count())) > 0) return true;
  }
  return false;
}

std::optional<std::string> ReadLine(int fd, std::size_t limit, std::chrono::milliseconds timeout,
                                    const std::stop_token& stop) {
  std::string line;
  while (line.size() < limit && Readable(fd, timeout, stop)) {
    char buffer[16384];
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n <= 0) return std::nullopt;
    line.append(buffer, static_cast<std::size_t>(n));
    if (line.back() == '\n') {
      line.pop_back();
      return line;
    }
  }
  return std::nullopt;
}

bool WriteLine(int fd, const std::string& text) {
  const std::string line = text + "\n";
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t n = ::send(fd, line.data() + done, line.size() - done, MSG_NOSIGNAL);
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

Result<UniqueFd> Connect(const std::string& path) {
  const auto address = PathAddress(path);
  if (!address) return address.error();
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return Error{ErrorKind::kUnreachable,
                 fmt::format("no sandbox answers at {}: {}", path, std::strerror(errno)),
                 "start one with: teleport-sandbox start --dir DIR", true};
  }
  return fd;
}

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::Open(const std::string& path, Handler handler) {
  const auto address = PathAddress(path);
  if (!address) return address.error();
  if (Connect(path))
    return Error::Failure(fmt::format("a sandbox already runs at {}", path), "stop it first");
  ::unlink(path.c_str());
  std::unique_ptr<ControlServer> server(new ControlServer(path, std::move(handler)));
  server->listening_.Reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const mode_t before = ::umask(0177);
  const int bound =
      ::bind(server->listening_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  ::umask(before);
  if (bound != 0) return SocketError(path, "bind");
  if (::listen(server->listening_.get(), 16) != 0) return SocketError(path, "listen");
  server->thread_ = std::jthread([raw = server.get()](const std::stop_token& stop) { raw->Run(stop); });
  return server;
}

ControlServer::~ControlServer() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  connections_.clear();
  ::unlink(path_.c_str());
}

void ControlServer::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::erase_if(connections_, [](const Connection& one) { return one.done->load(); });
    if (!Readable(listening_.get(), kSlice, stop) || connections_.size() >= kMaxConnections) continue;
    UniqueFd accepted(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!accepted) continue;
    auto done = std::make_shared<std::atomic<bool>>(false);
    auto shared = std::make_shared<UniqueFd>(std::move(accepted));
    connections_.push_back({std::jthread([this, shared, done](const std::stop_token& ending) {
                              Serve(std::move(*shared), ending);
                              *done = true;
                            }),
                            done});
  }
}

void ControlServer::Serve(UniqueFd connection, const std::stop_token& stop) const {
  while (const auto line = ReadLine(connection.get(), kMaxLine, kIdleLimit, stop)) {
    if (!WriteLine(connection.get(), handler_(*line, stop))) return;
  }
}

Result<std::string> CallControl(const std::string& path, const std::string& line,
                                std::chrono::milliseconds timeout) {
  const auto fd = Connect(path);
  if (!fd) return fd.error();
  if (!WriteLine(fd->get(), line)) return SocketError(path, "write");
  auto answer = ReadLine(fd->get(), std::size_t{1} << 30U, timeout, {});
  if (!answer) return Error{ErrorKind::kTimeout, fmt::format("no answer from {}", path), {}, true};
  return *std::move(answer);
}

}  // namespace tw::sandbox
