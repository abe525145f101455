#include "front/web_socket.h"

#include <cstddef>

namespace tw::sandbox {
namespace {

constexpr unsigned kFinal = 0x80;
constexpr unsigned kMasked = 0x80;
constexpr std::size_t kMaxPayload = 4U << 20U;

std::uint64_t BigEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8U | static_cast<unsigned char>(c);
  return value;
}

void AppendBigEndian(std::string& out, std::uint64_t value, unsigned width) {
  for (unsigned i = width; i-- > 0;) out += static_cast<char>(value >> (8U * i));
}

}  // namespace

std::string EncodeFrame(Opcode opcode, std::string_view payload, MaskHabit habit) {
  std::string frame;
  frame += static_cast<char>(kFinal | static_cast<unsigned>(opcode));
  const unsigned mask = habit == MaskHabit::kOld ? kMasked : 0U;
  if (payload.size() < 126) {
    frame += static_cast<char>(mask | static_cast<unsigned>(payload.size()));
  } else if (payload.size() < 65536) {
    frame += static_cast<char>(mask | 126U);
    AppendBigEndian(frame, payload.size(), 2);
  } else {
    frame += static_cast<char>(mask | 127U);
    AppendBigEndian(frame, payload.size(), 8);
  }
  if (mask != 0) frame.append(4, '\0');
  return frame.append(payload);
}

FrameReader::Parsed FrameReader::Next(Frame& frame) {
  if (buffer_.size() < 2) return Parsed::kMore;
  const auto first = static_cast<unsigned char>(buffer_[0]);
  const auto second = static_cast<unsigned char>(buffer_[1]);
  std::size_t at = 2;
  std::uint64_t size = second & 0x7fU;
  const std::size_t width = size == 126 ? 2 : size == 127 ? 8 : 0;
  if (buffer_.size() < at + width) return Parsed::kMore;
  if (width > 0) size = BigEndian(std::string_view(buffer_).substr(at, width));
  at += width;
  if (size > kMaxPayload) return Parsed::kBad;
  std::string key;
  if ((second & kMasked) != 0) {
    if (buffer_.size() < at + 4) return Parsed::kMore;
    key = buffer_.substr(at, 4);
    at += 4;
  }
  if (buffer_.size() < at + size) return Parsed::kMore;
  frame.opcode = static_cast<Opcode>(first & 0x0fU);
  frame.payload = buffer_.substr(at, static_cast<std::size_t>(size));
  buffer_.erase(0, at + static_cast<std::size_t>(size));
  if (habit_ == MaskHabit::kNew && !key.empty()) {
    for (std::size_t i = 0; i < frame.payload.size(); ++i) {
      frame.payload[i] = static_cast<char>(frame.payload[i] ^ key[i % 4]);
    }
  }
  return Parsed::kFrame;
}

bool FrameReader::Feed(std::string_view bytes, std::vector<Frame>& out) {
  buffer_ += bytes;
  for (;;) {
    Frame frame;
    const Parsed parsed = Next(frame);
    if (parsed != Parsed::kFrame) return parsed == Parsed::kMore;
    out.push_back(std::move(frame));
  }
}

}  // namespace tw::sandbox
