// Interrupt: one stop token for everything that ends a verb early: SIGINT, SIGTERM, SIGHUP and --timeout. A
// verb that goes on all the same ends the hard way, after a second signal or five seconds.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/unique_fd.h"

namespace tw::cli {

// Blocks the signals the program handles (TERM, INT, HUP, USR1) in this thread and all that it starts later,
// and ignores SIGPIPE. Call first thing in main, before any thread exists.
void BlockSignals();

// Lives as long as the verb. Construct after BlockSignals.
class Interrupt {
 public:
  // `on_signal` (optional) takes every signal instead of the default, which stops as told above. It is
  // called on this object's own thread.
  explicit Interrupt(std::optional<std::chrono::milliseconds> timeout,
                     std::function<void(int)> on_signal = {});
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return stop_.get_token(); }
  void Stop() { stop_.request_stop(); }
  // 124 after the timeout, 128 + n after signal n; nullopt when neither happened.
  std::optional<int> exit_code() const;

 private:
  using Clock = std::chrono::steady_clock;
  void Loop();
  void Take(int signal);
  // Asks the verb to end with this code; asked for the second time, ends the process.
  void End(int code);

  std::stop_source stop_;
  std::function<void(int)> on_signal_;
  std::atomic<int> exit_code_{0};
  std::optional<Clock::time_point> until_;  // when to end by ourselves; the thread's
  UniqueFd signals_;
  UniqueFd wake_;
  std::thread thread_;
};

}  // namespace tw::cli
