// RateLimiter: a token bucket for each key in a table of bounded size. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace tw::callback {

class RateLimiter {
 public:
  static constexpr std::size_t kKeys = 4096;

  // `rate`: tokens a second; nullopt: no limit. Up to one second's worth, and at least one, may be used at
  // once.
  explicit RateLimiter(std::optional<double> rate, std::size_t keys = kKeys) : rate_(rate), limit_(keys) {}

  // Takes a token: nullopt. None left: how long until the next, in whole seconds, at least one.
  std::optional<std::chrono::seconds> Take(std::string_view key, SteadyTime now);
  void SetRate(std::optional<double> rate);
  std::size_t size() const;

 private:
  struct Bucket {
    std::string key;
    double tokens = 0;
    SteadyTime updated;
  };

  mutable std::mutex mutex_;
  std::optional<double> rate_;
  const std::size_t limit_;
  std::list<Bucket> buckets_;  // most recently used first; a full table forgets the last
  std::unordered_map<std::string_view, std::list<Bucket>::iterator> by_key_;
};

}  // namespace tw::callback
