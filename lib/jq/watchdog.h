// Watchdog: calls back when something guarded computes for too long. Processor time of the guarded thread
// counts, so that a busy machine stops nobody. One thread for all; it sleeps unless something runs. Any
// thread may guard. Not cheap to destroy (joins its thread).
#pragma once

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <thread>
#include <vector>

namespace tw::jq {

class Watchdog {
 public:
  class Guard;
  explicit Watchdog(std::chrono::milliseconds limit) : limit_(limit) {}

 private:
  void Add(Guard* guard);
  void Remove(Guard* guard);
  void Run(const std::stop_token& stop);

  const std::chrono::milliseconds limit_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Guard*> active_;
  bool idle_ = false;
  std::jthread thread_;  // started by the first guard; last member, so that it ends first
};

// Guards the thread that makes it. While it lives, `stop(context)` is called from the watchdog's thread once
// the limit has passed; never after the guard is gone.
class Watchdog::Guard {
 public:
  Guard(Watchdog& dog, void (*stop)(void*), void* context)
      : dog_(dog), stop_(stop), context_(context), deadline_(std::chrono::steady_clock::now() + dog.limit_) {
    pthread_getcpuclockid(pthread_self(), &clock_);
    began_ = Used();
    dog_.Add(this);
  }
  ~Guard() { dog_.Remove(this); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  friend class Watchdog;
  // Processor time of the guarded thread so far.
  std::chrono::nanoseconds Used() const;

  Watchdog& dog_;
  void (*stop_)(void*);
  void* context_;
  clockid_t clock_{};
  std::chrono::nanoseconds began_{};
  std::chrono::steady_clock::time_point deadline_;  // not before this can the limit have passed
  bool fired_ = false;
};

}  // namespace tw::jq
