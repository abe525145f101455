// Doorstep: accepts connections, and keeps TLS clients outside until their whole ClientHello has arrived. A
// client that says nothing, or half a greeting, then costs libmicrohttpd nothing.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/unique_fd.h"
#include "callback/mhd/connection_table.h"

namespace tw::callback {

// For the event thread only. Table and log must outlive it.
class Doorstep {
 public:
  struct Options {
    int listen_fd = -1;
    std::string address;  // for the log
    bool await_hello = false;
    std::chrono::milliseconds patience{10'000};                  // from the accept to the first request line
    std::function<std::string(const std::string& peer)> key_of;  // for the per-address limit, empty: exempt
  };
  struct Guest {
    Connection* connection = nullptr;  // in the table; owns nothing
    UniqueFd fd;
    sockaddr_storage address{};
    socklen_t length = 0;
  };

  Doorstep(Options options, ConnectionTable& table, Logger& log);
  ~Doorstep();
  Doorstep(const Doorstep&) = delete;
  Doorstep& operator=(const Doorstep&) = delete;

  // Readable when Collect has something to do.
  int poll_fd() const { return epoll_.get(); }
  // Collect is due after so many milliseconds even if it is not; -1: no hurry.
  int Patience() const;
  // Those who may come in now. Clients who left at the door are dropped.
  std::vector<Guest> Collect();
  void StopAccepting();

 private:
  void Accept(std::vector<Guest>& ready);
  void Listen(bool on);
  void NoDescriptor(int error);
  void Greet(Guest guest, std::vector<Guest>& ready);

  const Options options_;
  ConnectionTable& table_;
  Logger& log_;
  UniqueFd epoll_;
  bool stopped_ = false;
  SteadyTime closed_until_ = SteadyTime::min();  // nobody is let in before
  SteadyTime told_at_ = SteadyTime::min();       // that descriptors are short
  std::map<int, Guest> waiting_;                 // bounded by the table
};

}  // namespace tw::callback
