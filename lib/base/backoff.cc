#include "base/backoff.h"

#include <algorithm>

namespace tw {

Duration FullJitter(Duration initial, Duration max, unsigned n, Random& random) {
  Duration ceiling = std::min(initial, max);
  // Doubling zero gets nowhere, however often.
  for (unsigned i = 0; i < n && ceiling > Duration::zero() && ceiling < max; ++i)
    ceiling = ceiling > max / 2 ? max : ceiling * 2;
  const auto picked = static_cast<Duration::rep>(random.Unit() * static_cast<double>(ceiling.count()));
  return std::max(Duration(picked), Duration(std::chrono::milliseconds(1)));
}

}  // namespace tw
