// WebSocket as Teleport's proxy speaks it behind a layer-7 load balancer (RFC 6455; reference page
// section 5.6): the upgrade texts, the frame codec, and the connection as a FarEnd.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "teleport/far_end.h"
#include "teleport/wait.h"

namespace tw::teleport {

struct UpgradeRequest {
  std::string text;    // the HTTP request
  std::string accept;  // the Sec-WebSocket-Accept that must come back
};

UpgradeRequest MakeUpgradeRequest(std::string_view host, Random& random);
// `answer` is the head of the response. Errors: kUnreachable; 404 says that the proxy is too old.
Status CheckUpgradeAnswer(std::string_view answer, const UpgradeRequest& request);

// Frames. Our own carry the mask bit and a mask of zeros: right by the RFC, and old proxies, which forget to
// unmask, read them too.
enum class Opcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10
};
std::string EncodeFrame(Opcode opcode, std::string_view payload);

// Takes bytes as they come and hands back payload; any mask of the server's is removed.
class FrameReader {
 public:
  struct Control {
    Opcode opcode;
    std::string payload;  // at most 125 bytes
  };
  struct Step {
    std::size_t taken = 0;           // bytes of the input used up
    std::string_view data;           // part of a data frame's payload, inside the input, already unmasked
    std::optional<Control> control;  // a whole control frame
  };
  // Looks at `bytes` (unmasking in place) until there is one piece of data, one control frame, or nothing
  // more. Error (kUnreachable): the bytes are not WebSocket.
  Result<Step> Next(char* bytes, std::size_t size);

 private:
  Status ReadHeader();

  std::string header_;  // the header so far
  bool in_payload_ = false;
  Opcode opcode_ = Opcode::kBinary;
  std::uint64_t left_ = 0;  // payload bytes still to come
  bool masked_ = false;
  unsigned char mask_[4] = {};
  unsigned mask_at_ = 0;
  std::string control_;
};

// A connection after the 101 as a far end.
std::unique_ptr<FarEnd> MakeWebSocketFarEnd(UniqueFd fd);

}  // namespace tw::teleport
