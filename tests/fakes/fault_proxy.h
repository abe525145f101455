// A TCP forwarder on loopback that can behave like a bad network. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/unique_fd.h"
#include "base/url.h"

namespace tw::fakes {

class FaultProxy {
 public:
  explicit FaultProxy(const Address& target);  // an IPv4 address
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  std::string address() const;
  // Nothing is carried on, nothing is closed, nobody is told.
  void Stall();
  void Flow();
  // Resets every connection.
  void Cut();
  // New connections are reset at once, as if nobody listened.
  void Refuse(bool refuse) { refuse_ = refuse; }
  std::size_t attempts() const { return attempts_; }  // connections tried, in all

 private:
  struct Pair;
  void Run(const std::stop_token& stop);
  void Take(UniqueFd client);
  void Ring();

  const Address target_;
  UniqueFd listener_;
  UniqueFd bell_;
  std::atomic<bool> stalled_{false};
  std::atomic<bool> refuse_{false};
  std::atomic<bool> cut_{false};
  std::atomic<std::size_t> attempts_{0};
  std::list<std::unique_ptr<Pair>> pairs_;  // the thread's
  std::jthread thread_;
};

}  // namespace tw::fakes
