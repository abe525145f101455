#include "callback/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace tw::callback {

std::optional<std::chrono::seconds> RateLimiter::Take(std::string_view key, SteadyTime now) {
  std::lock_guard lock(mutex_);
  if (!rate_) return std::nullopt;
  const double burst = std::max(1.0, *rate_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    if (buckets_.size() >= limit_) {
      by_key_.erase(buckets_.back().key);
      buckets_.pop_back();
    }
    buckets_.push_front({std::string(key), burst, now});
    by_key_.emplace(buckets_.front().key, buckets_.begin());
  } else {
    buckets_.splice(buckets_.begin(), buckets_, found->second);
  }
  Bucket& bucket = buckets_.front();
  const double elapsed = std::chrono::duration<double>(now - bucket.updated).count();
  bucket.tokens = std::min(burst, bucket.tokens + std::max(0.0, elapsed) * *rate_);
  bucket.updated = now;
  if (bucket.tokens >= 1.0) {
    bucket.tokens -= 1.0;
    return std::nullopt;
  }
  const double wait = std::min(3600.0, std::ceil((1.0 - bucket.tokens) / *rate_));
  return std::chrono::seconds(std::max(1L, std::lround(wait)));
}

void RateLimiter::SetRate(std::optional<double> rate) {
  std::lock_guard lock(mutex_);
  rate_ = rate;
}

std::size_t RateLimiter::size() const {
  std::lock_guard lock(mutex_);
  return buckets_.size();
}

}  // namespace tw::callback
