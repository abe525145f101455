// One thread that runs small jobs at their time: late INITs, sweeps for expired requests, ends of outages.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>

namespace tw::sandbox {

class Scheduler {
 public:
  Scheduler();
  ~Scheduler();

  // Waits for the job that runs; what is not due yet is dropped, and so is all that comes later.
  void Stop();

  // `job` runs on the scheduler's thread; it must be short. Any thread may call.
  void After(std::chrono::milliseconds delay, std::function<void()> job);

 private:
  void Run(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::multimap<std::chrono::steady_clock::time_point, std::function<void()>> jobs_;
  std::jthread thread_;
};

}  // namespace tw::sandbox
