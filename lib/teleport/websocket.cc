#include "teleport/websocket.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "teleport/http_text.h"

namespace tw::teleport {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 section 1.3
// For long-lived connections: the proxy pings every 30 s, which keeps load balancers from closing idle ones.
constexpr std::string_view kProtocol = "alpn-ping";
constexpr char kPassOn[] =
    "what stands in front of the proxy must pass WebSockets on, with all their headers";
constexpr std::size_t kControlLimit = 125;
constexpr std::size_t kSmall = 125;
constexpr std::size_t kMedium = 65'535;

Error Bad(std::string message, std::string hint = {}) {
  return {ErrorKind::kUnreachable, std::move(message), std::move(hint), true};
}

std::string Sha1Base64(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_Digest(text.data(), text.size(), digest, &length, EVP_sha1(), nullptr);
  return Base64Encode({reinterpret_cast<const char*>(digest), length});
}

std::uint64_t BigEndian(std::string_view bytes) {
  std::uint64_t out = 0;
  for (const char byte : bytes) out = out << 8U | static_cast<unsigned char>(byte);
  return out;
}

void AppendBigEndian(std::string& out, std::uint64_t number, unsigned bytes) {
  for (unsigned i = bytes; i > 0; --i) out += static_cast<char>(number >> (8 * (i - 1)) & 0xffU);
}

std::size_t HeaderSize(const std::string& header) {
  if (header.size() < 2) return 2;
  const unsigned second = static_cast<unsigned char>(header[1]);
  const unsigned length = second & 0x7fU;
  const std::size_t extra = length == 127 ? 8 : length == 126 ? 2 : 0;
  return 2 + extra + ((second & 0x80U) != 0 ? 4 : 0);
}

}  // namespace

UpgradeRequest MakeUpgradeRequest(std::string_view host, Random& random) {
  std::array<std::byte, 16> nonce{};
  random.Fill(nonce);
  const std::string key = Base64Encode({reinterpret_cast<const char*>(nonce.data()), nonce.size()});
  return {
      fmt::format("GET /webapi/connectionupgrade HTTP/1.1\r\nHost: {}\r\nUser-Agent: teleport-webhooks\r\n"
                  "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\nSec-WebSocket-Protocol: {}\r\n\r\n",
                  host, key, kProtocol),
      Sha1Base64(key + std::string(kGuid))};
}

Status CheckUpgradeAnswer(std::string_view answer, const UpgradeRequest& request) {
  const Result<HttpHead> head = ParseHttpHead(answer);
  if (!head) return head.error();
  if (head->status == 404) {
    return Bad("the proxy does not know connection upgrades (404): it is older than Teleport 15.1",
               "update the proxy, or use a way without a layer-7 load balancer (route = \"proxy\")");
  }
  if (head->status != 101)
    return Bad(fmt::format("it was refused with HTTP status {}", head->status), kPassOn);
  if (AsciiLower(head->Get("upgrade")) != "websocket" ||
      head->Get("sec-websocket-accept") != request.accept) {
    return Bad("the answer is not a WebSocket", kPassOn);
  }
  if (head->Get("sec-websocket-protocol") != kProtocol) {
    return Bad("the answer chose another WebSocket protocol than alpn-ping", kPassOn);
  }
  return {};
}

std::string EncodeFrame(Opcode opcode, std::string_view payload) {
  std::string out;
  out.reserve(payload.size() + 14);
  out += static_cast<char>(0x80U | static_cast<unsigned>(opcode));
  if (payload.size() <= kSmall) {
    out += static_cast<char>(0x80U | payload.size());
  } else if (payload.size() <= kMedium) {
    out += static_cast<char>(0x80U | 126U);
    AppendBigEndian(out, payload.size(), 2);
  } else {
    out += static_cast<char>(0x80U | 127U);
    AppendBigEndian(out, payload.size(), 8);
  }
  out.append(4, '\0');
  out += payload;
  return out;
}

Status FrameReader::ReadHeader() {
  const unsigned first = static_cast<unsigned char>(header_[0]);
  const unsigned length = static_cast<unsigned char>(header_[1]) & 0x7fU;
  masked_ = (static_cast<unsigned char>(header_[1]) & 0x80U) != 0;
  opcode_ = static_cast<Opcode>(first & 0x0fU);
  const std::size_t extra = length == 127 ? 8 : length == 126 ? 2 : 0;
  left_ = extra == 0 ? length : BigEndian(std::string_view(header_).substr(2, extra));
  if (masked_) std::copy_n(header_.data() + 2 + extra, 4, reinterpret_cast<char*>(mask_));
  mask_at_ = 0;
  in_payload_ = true;
  header_.clear();
  control_.clear();
  if ((first & 0x70U) != 0) return Bad("a WebSocket frame uses an extension that was not agreed");
  const bool control = opcode_ >= Opcode::kClose;
  if (control && (left_ > kControlLimit || (first & 0x80U) == 0))
    return Bad("a WebSocket control frame is malformed");
  if (opcode_ > Opcode::kPong || (opcode_ > Opcode::kBinary && !control))
    return Bad("a WebSocket frame has an unknown opcode");
  return {};
}

Result<FrameReader::Step> FrameReader::Next(char* bytes, std::size_t size) {
  Step step;
  for (;;) {
    while (!in_payload_) {
      if (step.taken == size) return step;
      header_ += bytes[step.taken++];
      if (header_.size() < HeaderSize(header_)) continue;
      if (Status fine = ReadHeader(); !fine) return fine.error();
    }
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, size - step.taken));
    char* payload = bytes + step.taken;
    for (std::size_t i = 0; masked_ && i < count; ++i)
      payload[i] = static_cast<char>(payload[i] ^ mask_[mask_at_++ % 4]);
    step.taken += count;
    left_ -= count;
    in_payload_ = left_ > 0;
    if (opcode_ >= Opcode::kClose) {
      control_.append(payload, count);
      if (in_payload_) return step;
      step.control = Control{opcode_, control_};
      return step;
    }
    if (count > 0) {
      step.data = {payload, count};
      return step;
    }
    if (in_payload_) return step;
  }
}

}  // namespace tw::teleport
