#include "front/client_hello.h"

#include <cstddef>
#include <cstdint>

#include "base/text.h"

namespace tw::sandbox {
namespace {

constexpr unsigned char kHandshakeRecord = 22;
constexpr unsigned char kClientHello = 1;
constexpr std::uint16_t kAlpnExtension = 16;
constexpr std::size_t kRecordHeader = 5;
constexpr std::size_t kMaxHello = 64 * 1024;
constexpr std::string_view kRoutePrefix = "teleport-auth@";
constexpr std::string_view kRouteSuffix = ".teleport.cluster.local";

// Reads big-endian fields; after the first one that is not there everything is empty and `ok` false.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : rest_(bytes) {}

  std::size_t Number(std::size_t width) {
    std::size_t value = 0;
    for (const char c : Take(width)) value = value << 8U | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view Take(std::size_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::string_view Vector(std::size_t width) { return Take(Number(width)); }
  bool empty() const { return rest_.empty(); }
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// The handshake message out of its records. Empty: more must come; kNotTls by `is_tls`.
std::string Unwrap(std::string_view bytes, bool& is_tls) {
  std::string message;
  while (bytes.size() >= kRecordHeader) {
    if (static_cast<unsigned char>(bytes[0]) != kHandshakeRecord || bytes[1] != 3) {
      is_tls = false;
      return {};
    }
    Cursor header(bytes.substr(3, 2));
    const std::size_t size = header.Number(2);
    if (bytes.size() < kRecordHeader + size) break;
    message += bytes.substr(kRecordHeader, size);
    bytes.remove_prefix(kRecordHeader + size);
    if (message.size() < 4) continue;
    Cursor head(std::string_view(message).substr(1, 3));
    if (message.size() >= 4 + head.Number(3)) return message;
  }
  is_tls = bytes.empty() || static_cast<unsigned char>(bytes[0]) == kHandshakeRecord;
  return {};
}

std::vector<std::string> ReadProtocols(std::string_view extension) {
  std::vector<std::string> protocols;
  Cursor outer(extension);
  Cursor list(outer.Vector(2));
  while (!list.empty()) protocols.emplace_back(list.Vector(1));
  return protocols;
}

}  // namespace

HelloState ParseClientHello(std::string_view bytes, ClientHello& hello) {
  bool is_tls = true;
  const std::string message = Unwrap(bytes, is_tls);
  if (!is_tls || bytes.size() > kMaxHello) return HelloState::kNotTls;
  if (message.empty()) return HelloState::kIncomplete;
  if (static_cast<unsigned char>(message[0]) != kClientHello) return HelloState::kNotTls;
  Cursor cursor(std::string_view(message).substr(4));
  cursor.Take(2 + 32);  // version, random
  cursor.Vector(1);     // session id
  cursor.Vector(2);     // cipher suites
  cursor.Vector(1);     // compression
  Cursor extensions(cursor.Vector(2));
  while (!extensions.empty()) {
    const std::size_t type = extensions.Number(2);
    const std::string_view body = extensions.Vector(2);
    if (type == kAlpnExtension) hello.protocols = ReadProtocols(body);
  }
  return cursor.ok() && extensions.ok() ? HelloState::kComplete : HelloState::kNotTls;
}

std::optional<std::string> ClusterOfRoute(std::string_view protocol) {
  if (!protocol.starts_with(kRoutePrefix) || !protocol.ends_with(kRouteSuffix)) return std::nullopt;
  protocol.remove_prefix(kRoutePrefix.size());
  protocol.remove_suffix(kRouteSuffix.size());
  return HexDecode(protocol);
}

}  // namespace tw::sandbox
