// Repeatable randomness (a fixed seed). Not for keys.
#pragma once

#include <mutex>
#include <random>

#include "base/random.h"

namespace tw::fakes {

class FakeRandom final : public Random {
 public:
  explicit FakeRandom(std::uint64_t seed = 1) : engine_(seed) {}
  void Fill(std::span<std::byte> out) override {
    std::lock_guard lock(mutex_);
    for (std::byte& byte : out) byte = static_cast<std::byte>(engine_() & 0xffU);
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace tw::fakes
