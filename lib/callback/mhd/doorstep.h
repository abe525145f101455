// Doorstep: accepts connections, and keeps TLS clients outside until their whole ClientHello has arrived. A
// client that says nothing, or half a greeting, then costs libmicrohttpd nothing.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "callback/mhd/connection_table.h"

namespace tw::callback {

// For the event thread only. The table must outlive it.
class Doorstep {
 public:
  struct Options {
    int listen_fd = -1;
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

  Doorstep(Options options, ConnectionTable& table);
  ~Doorstep();
  Doorstep(const Doorstep&) = delete;
  Doorstep& operator=(const Doorstep&) = delete;

  // Readable when Collect has something to do.
  int poll_fd() const { return epoll_.get(); }
  // Those who may come in now. Clients who left at the door are dropped.
  std::vector<Guest> Collect();
  void StopAccepting();

 private:
  void Accept(std::vector<Guest>& ready);
  void Greet(Guest guest, std::vector<Guest>& ready);

  const Options options_;
  ConnectionTable& table_;
  UniqueFd epoll_;
  std::map<int, Guest> waiting_;  // bounded by the table
};

}  // namespace tw::callback
