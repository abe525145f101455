// A listening TCP socket with its accept thread, and a hand on every connection: it can stop listening for a
// while, and cut what is connected. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/result.h"
#include "base/unique_fd.h"
#include "base/url.h"

namespace tw::sandbox {

class Listener {
 public:
  // Takes over a connection; non-blocking, close-on-exec, TCP_NODELAY. Called on the accept thread, must not
  // wait.
  using Taker = std::function<void(UniqueFd)>;

  // `address.port` 0: the kernel chooses. Error: kFailure naming the address.
  static Result<std::unique_ptr<Listener>> Open(const Address& address, Taker taker);
  ~Listener();

  const Address& address() const { return address_; }
  // Refused connections (ECONNREFUSED) until Resume; open ones live on.
  void Suspend();
  Status Resume();
  bool listening();
  void CutAll();  // connections are shut down in both directions
  std::size_t connections();

 private:
  Listener(Address address, Taker taker) : address_(std::move(address)), taker_(std::move(taker)) {}
  Status Listen();
  void Run(const std::stop_token& stop);
  void AcceptOne();
  void ForgetClosedLocked();

  Address address_;
  const Taker taker_;
  std::mutex mutex_;
  UniqueFd listening_;
  UniqueFd wake_;             // eventfd: the set of sockets to poll has changed
  std::list<UniqueFd> open_;  // duplicates, to cut connections by
  std::jthread thread_;
};

}  // namespace tw::sandbox
