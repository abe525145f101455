#include "daemon/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

#include "base/unique_fd.h"

namespace tw::daemon {
namespace {

// Called once at start, before other threads exist.
std::string TakeEnvironment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  std::string out = value == nullptr ? "" : value;
  unsetenv(name);  // NOLINT(concurrency-mt-unsafe)
  return out;
}

}  // namespace

ServiceManager::ServiceManager() : socket_(TakeEnvironment("NOTIFY_SOCKET")) {
  const std::string usec = TakeEnvironment("WATCHDOG_USEC");
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(usec.data(), usec.data() + usec.size(), value);
  if (!usec.empty() && error == std::errc() && value > 0) watchdog_ = std::chrono::microseconds(value);
  unsetenv("WATCHDOG_PID");  // NOLINT(concurrency-mt-unsafe)
}

void ServiceManager::Status(std::string_view text) const {
  Send(fmt::format("STATUS={}", text));
}

void ServiceManager::Reloading() const {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  Send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                   static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000));
}

void ServiceManager::Send(std::string_view message) const {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // abstract namespace
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  // A manager that does not listen is not our trouble.
  ::sendto(fd.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
           reinterpret_cast<const sockaddr*>(&address), length);
}

}  // namespace tw::daemon
