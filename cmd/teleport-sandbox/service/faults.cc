#include "service/faults.h"

#include <algorithm>
#include <utility>

namespace tw::sandbox {

void Faults::AddCall(CallFault fault) {
  std::lock_guard lock(mutex_);
  calls_.push_back(std::move(fault));
}

std::optional<CallFault> Faults::TakeCall(std::string_view method) {
  std::lock_guard lock(mutex_);
  const auto hit = std::ranges::find_if(
      calls_, [&](const CallFault& fault) { return fault.method == "*" || fault.method == method; });
  if (hit == calls_.end()) return std::nullopt;
  CallFault fault = *hit;
  if (hit->times <= 1) {
    calls_.erase(hit);
  } else {
    --hit->times;
  }
  return fault;
}

StreamFaults Faults::stream() const {
  std::lock_guard lock(mutex_);
  return stream_;
}

bool Faults::Take(std::uint64_t StreamFaults::*counter) {
  std::lock_guard lock(mutex_);
  if (stream_.*counter == 0) return false;
  --(stream_.*counter);
  return true;
}

void Faults::Clear() {
  std::lock_guard lock(mutex_);
  calls_.clear();
  stream_ = {};
}

}  // namespace tw::sandbox
