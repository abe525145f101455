// WorkerPool: a fixed number of threads and a bounded queue before them. A full queue refuses, it never
// waits.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace tw::callback {

class WorkerPool {
 public:
  using Job = std::function<void(std::stop_token)>;

  WorkerPool(unsigned threads, std::size_t queue);
  // Ends the jobs under way through their stop token, drops none that was taken: each runs, seeing the token.
  ~WorkerPool() { Stop(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False: the queue is full or the pool is stopping; the job was not taken.
  bool Offer(Job job);
  void Stop();

 private:
  void Work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  const std::size_t limit_;
  bool closed_ = false;
  std::stop_source stop_;
  std::vector<std::jthread> threads_;
};

}  // namespace tw::callback
