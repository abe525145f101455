#include "daemon/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

#include "base/text.h"
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

// 0 when it is none.
std::int64_t Number(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

ServiceManager::ServiceManager() : socket_(TakeEnvironment("NOTIFY_SOCKET")) {
  const std::int64_t usec = Number(TakeEnvironment("WATCHDOG_USEC"));
  const std::string pid = TakeEnvironment("WATCHDOG_PID");
  const bool meant_for_us = pid.empty() || Number(pid) == getpid();
  if (usec > 0 && meant_for_us) watchdog_ = std::chrono::microseconds(usec);
}

void ServiceManager::Status(std::string_view text) const {
  Send(fmt::format("STATUS={}", EscapeControls(text)));
}

void ServiceManager::Alive() const {
  if (watchdog_) Send("WATCHDOG=1");
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
