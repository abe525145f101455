// SocketWatch: which sockets are ready, over epoll, with few system calls. A socket that was opened here
// stays registered between two exchanges on its connection, so a steady stream of requests costs no
// epoll_ctl. One thread, except Wake.
#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/unique_fd.h"

namespace tw::webhook {

class SocketWatch {
 public:
  struct Ready {
    int fd = -1;
    bool readable = false;
    bool writable = false;
    bool failed = false;
  };

  SocketWatch();

  // A socket whose closing will be told through OnClose. Others are registered anew every time.
  void OnOpen(int fd) { sockets_[fd] = {.owned = true}; }
  void OnClose(int fd) { sockets_.erase(fd); }
  // Neither: nothing is wanted for now.
  void Want(int fd, bool read, bool write);

  // Waits at most `wait` for sockets that are wanted, or for Wake, which sets
  // `woken`.
  std::vector<Ready> Wait(std::chrono::milliseconds wait, bool& woken);
  void Wake() const;  // any thread

 private:
  struct Socket {
    std::uint32_t wanted = 0;
    std::uint32_t registered = 0;
    bool owned = false;
  };
  void Register(int fd, Socket& socket, std::uint32_t events) const;

  UniqueFd epoll_;
  UniqueFd wake_;
  std::unordered_map<int, Socket> sockets_;
};

}  // namespace tw::webhook
