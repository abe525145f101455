// Pump: joins a far end to a plain descriptor with a thread of its own, so that a library that wants a socket
// (gRPC) or the next layer of a tunnel gets one. Buffers are fixed; a side that does not take its bytes stops
// the other.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/unique_fd.h"
#include "teleport/far_end.h"

namespace tw::teleport {

class Pump {
 public:
  // Owns both; works until one side has ended and what it sent was handed over, or until destruction.
  Pump(std::unique_ptr<FarEnd> far, UniqueFd near);
  ~Pump();
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

  // Any thread. Once false it stays so.
  bool alive() const { return alive_; }
  // Why the far end ended; nullopt while it works, and when the near side ended first. Known before the near
  // side sees the end.
  std::optional<Error> why() const;

 private:
  class Loop;
  void Publish(Error why);

  std::unique_ptr<FarEnd> far_;
  UniqueFd near_;
  UniqueFd bell_;  // eventfd: stop
  std::atomic<bool> alive_{true};
  mutable std::mutex mutex_;
  std::optional<Error> why_;
  std::thread thread_;
};

// Starts a pump and returns its plain end in `end` (non-blocking).
std::unique_ptr<Pump> StartPump(std::unique_ptr<FarEnd> far, UniqueFd& end);

}  // namespace tw::teleport
