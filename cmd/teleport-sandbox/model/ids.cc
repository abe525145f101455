#include "model/ids.h"

#include <array>
#include <chrono>
#include <cstddef>

#include "base/text.h"

namespace tw::sandbox {
namespace {

using Bytes = std::array<std::byte, 16>;

std::string Format(Bytes bytes, unsigned version) {
  bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte(version << 4U);
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  const std::string hex = HexEncode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20);
}

}  // namespace

std::string MakeUuid4(Random& random) {
  Bytes bytes;
  random.Fill(bytes);
  return Format(bytes, 4);
}

std::string MakeUuid7(Random& random, SystemTime now) {
  Bytes bytes;
  random.Fill(bytes);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  for (unsigned i = 0; i < 6; ++i) bytes[i] = std::byte(static_cast<unsigned char>(millis >> (40U - 8U * i)));
  return Format(bytes, 7);
}

}  // namespace tw::sandbox
