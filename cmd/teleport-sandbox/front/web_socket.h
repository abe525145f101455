// WebSocket frames as a proxy reads and writes them (RFC 6455 section 5; reference page section 5.6). Pure;
// an object belongs to one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tw::sandbox {

enum class Opcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10
};

struct Frame {
  Opcode opcode = Opcode::kBinary;
  std::string payload;
};

enum class MaskHabit {
  kOld,  // reads client frames as if they were not masked, and marks its own as masked with a zero key
  kNew,  // as the RFC says
};

// One whole frame to a client.
std::string EncodeFrame(Opcode opcode, std::string_view payload, MaskHabit habit);

class FrameReader {
 public:
  explicit FrameReader(MaskHabit habit) : habit_(habit) {}

  // Takes bytes as they come. False: a frame is too large or malformed; the connection must end.
  bool Feed(std::string_view bytes, std::vector<Frame>& out);

 private:
  enum class Parsed { kFrame, kMore, kBad };
  Parsed Next(Frame& frame);

  const MaskHabit habit_;
  std::string buffer_;
};

}  // namespace tw::sandbox
