// Randomness as a port. Implementations are safe for use from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tw {

class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(std::span<std::byte> out) = 0;
  std::uint64_t Next();
  // Uniform in [0, 1).
  double Unit();
};

// The kernel's generator (getrandom), fit for keys.
class SystemRandom final : public Random {
 public:
  void Fill(std::span<std::byte> out) override;
};

}  // namespace tw
