// What the fuzz targets share: checks that stay in every build, and ways to cut one input into several.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/text.h"

// A broken promise ends the run like a crash; libFuzzer then keeps the input.
#define FUZZ_CHECK(promise)                                                              \
  do {                                                                                   \
    if (!(promise)) {                                                                    \
      std::fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #promise); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)

namespace tw::fuzz {

inline std::string_view AsText(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Fit for a terminal or a line of a log as it is?
inline bool Harmless(std::string_view text) {
  return EscapeControls(text) == text;
}

// Every error says something, and nothing that could steer a terminal.
inline bool WellWorded(const Error& error) {
  return !error.message.empty() && Harmless(error.message) && Harmless(error.hint);
}

// Stands in for a secret. The fuzzer learns our own sentences and feeds them back, so whether an error
// repeats its input shows only in something that no sentence of ours holds.
inline constexpr std::string_view kCanary = "qZ7cAnArY3vKx9LmT2wRb8HfJd5NpGsUe4YoVi6QaX1kM0tC";

// `text` with the canary somewhere in it; where, follows from the text.
inline std::string WithCanary(std::string_view text) {
  std::size_t sum = 0;
  for (const char c : text) sum += static_cast<unsigned char>(c);
  std::string out(text);
  return out.insert(sum % (text.size() + 1), kCanary);
}

// The canary, or a good piece of it?
inline bool HoldsCanary(std::string_view text) {
  constexpr std::size_t kPiece = 12;
  for (std::size_t at = 0; at < kCanary.size(); at += kPiece) {
    if (text.find(kCanary.substr(at, kPiece)) != std::string_view::npos) return true;
  }
  return false;
}

inline bool TellsCanary(const Error& error) {
  return HoldsCanary(error.message) || HoldsCanary(error.hint);
}

// Takes the text up to the next newline off the front: seeds stay readable, and mutations of one part leave
// the others alone.
inline std::string_view TakeLine(std::string_view& rest) {
  const auto end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

}  // namespace tw::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
