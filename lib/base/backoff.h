// Exponential back-off with full jitter: each wait is uniform in (0, min(max, initial * 2^n)].
#pragma once

#include "base/clock.h"
#include "base/random.h"

namespace tw {

// The n-th wait (n counts from 0). Never zero, so that a loop cannot spin.
Duration FullJitter(Duration initial, Duration max, unsigned n, Random& random);

// A running back-off for one loop. Not thread-safe.
class Backoff {
 public:
  Backoff(Duration initial, Duration max, Random& random) : initial_(initial), max_(max), random_(random) {}
  Duration Next() { return FullJitter(initial_, max_, failures_++, random_); }
  void Reset() { failures_ = 0; }
  unsigned failures() const { return failures_; }

 private:
  Duration initial_;
  Duration max_;
  Random& random_;
  unsigned failures_ = 0;
};

}  // namespace tw
