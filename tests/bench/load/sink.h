// A receiver that costs as little as possible: one epoll thread, keep-alive, an empty 200 for every POST. It
// counts the different webhook-ids that it was sent.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>

namespace load {

class Sink {
 public:
  explicit Sink(int port);  // loopback; ends the program when it cannot listen
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  std::size_t count() const;     // different ids
  std::size_t requests() const;  // all of them
  // False when fewer than `count` ids came within `limit`.
  bool WaitFor(std::size_t count, std::chrono::milliseconds limit);

 private:
  void Run();
  void Accept();
  bool Read(int fd);  // false: the connection ended
  void Note(const std::string& head);

  int listening_ = -1;
  int epoll_ = -1;
  std::unordered_map<int, std::string> buffers_;  // the thread's own
  mutable std::mutex mutex_;
  std::condition_variable more_;
  std::unordered_set<std::string> ids_;
  std::size_t requests_ = 0;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace load
