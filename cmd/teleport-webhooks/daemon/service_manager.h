// What the service manager hears (sd_notify(3), its documented datagram protocol; libsystemd would cost more
// to load than the rest of the program). Without NOTIFY_SOCKET nothing is sent. Any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tw::daemon {

class ServiceManager {
 public:
  // Reads and removes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID from the environment, so that no child
  // inherits them.
  ServiceManager();

  void Ready() const { Send("READY=1"); }
  // Control characters are escaped: a newline would begin another assignment.
  void Status(std::string_view text) const;
  void Reloading() const;
  void Stopping() const { Send("STOPPING=1"); }
  // Does nothing when the manager does not watch us.
  void Alive() const;
  // How long the manager waits for a sign of life; nullopt when it does not watch us.
  std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

 private:
  void Send(std::string_view message) const;

  std::string socket_;
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace tw::daemon
