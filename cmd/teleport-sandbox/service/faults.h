// Misbehaviour on demand. Plain settings behind a lock; any thread. Facts: reference page section 9.2.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/refusal.h"

namespace tw::sandbox {

// What happens to the next `times` calls of a method ("*": of any method).
struct CallFault {
  std::string method;
  Code code = Code::kOk;  // kOk: only the delay
  std::string message;
  std::chrono::milliseconds delay{0};
  bool after_effect = false;  // the call does its work, then its answer is lost
  std::uint64_t times = 1;
};

// Each stream ends with `code` after so many events (INIT not counted).
struct StreamEnd {
  Code code = Code::kUnavailable;
  std::string message;
  std::uint64_t after_events = 0;
};

struct StreamFaults {
  std::chrono::milliseconds init_delay{0};
  bool duplicate_puts = false;
  bool unknown_members = false;    // one before every event
  bool reorder = false;            // swaps neighbours
  std::uint64_t drop_puts = 0;     // so many further creations are never shown
  std::uint64_t delete_first = 0;  // so many further creations come after a DELETE of theirs
  std::optional<StreamEnd> end;    // every stream opened from now on, and those that are open
};

class Faults {
 public:
  void AddCall(CallFault fault);
  // The fault that hits this call, used up by one.
  std::optional<CallFault> TakeCall(std::string_view method);

  StreamFaults stream() const;
  template <class Change>
  void ChangeStream(Change change) {
    std::lock_guard lock(mutex_);
    change(stream_);
  }
  // True, and one fewer left, when this counter was not zero.
  bool Take(std::uint64_t StreamFaults::*counter);
  void Clear();

 private:
  mutable std::mutex mutex_;
  std::vector<CallFault> calls_;
  StreamFaults stream_;
};

}  // namespace tw::sandbox
