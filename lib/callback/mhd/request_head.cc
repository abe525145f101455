#include "callback/mhd/request_head.h"

#include <microhttpd.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "base/network.h"
#include "base/text.h"

namespace tw::callback {
namespace {

struct Collected {
  std::vector<std::pair<std::string, std::string>> headers;
  bool folded = false;
};

bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}

// Does the value stand right behind its name, as it came? libmicrohttpd (before 1.0) glues the text of a
// folded line to the name of the header before, which moves the name away: a length would vanish that a proxy
// in front of us has seen, or one appear that it has not.
bool InPlace(const char* name, std::size_t name_size, const char* value) {
  constexpr std::uintptr_t kFar = 64 * 1024;  // more than any head
  const auto distance = reinterpret_cast<std::uintptr_t>(value) - reinterpret_cast<std::uintptr_t>(name);
  if (distance <= name_size || distance > kFar) return false;
  return std::all_of(name + name_size + 1, name + distance, IsBlank);  // the first is where the colon was
}

MHD_Result Collect(void* out, MHD_ValueKind, const char* name, std::size_t name_size, const char* value,
                   std::size_t value_size) {
  auto& collected = *static_cast<Collected*>(out);
  if (value == nullptr || !InPlace(name, name_size, value)) collected.folded = true;
  collected.headers.emplace_back(std::string(name, name_size),
                                 value == nullptr ? std::string() : std::string(value, value_size));
  return MHD_YES;
}

// RFC 9110 section 5.6.2. "Content-Length " is none, and must not be taken for a header of another name.
bool IsToken(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool HasControl(std::string_view value) {
  return std::any_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

}  // namespace

std::string PeerText(const sockaddr* address) {
  AddressBytes bytes{};
  if (address != nullptr && address->sa_family == AF_INET) {
    bytes[10] = bytes[11] = 0xff;
    std::memcpy(bytes.data() + 12, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, 4);
  } else if (address != nullptr && address->sa_family == AF_INET6) {
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, bytes.size());
  } else {
    return "unix";
  }
  return FormatNumeric(bytes);
}

std::optional<std::vector<std::pair<std::string, std::string>>> ReadHeaders(MHD_Connection* connection) {
  Collected out;
  MHD_get_connection_values_n(connection, MHD_HEADER_KIND, &Collect, &out);
  if (out.folded) return std::nullopt;
  return std::move(out.headers);
}

std::size_t HeadSize(const HttpRequest& request) {
  constexpr std::size_t kLineOverhead = 4;  // ": " and CRLF
  std::size_t size = request.method.size() + request.target.size() + kLineOverhead;
  for (const auto& [name, value] : request.headers) size += name.size() + value.size() + kLineOverhead;
  return size;
}

FramingVerdict CheckFraming(const HttpRequest& request, std::string_view version, std::size_t max_body) {
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::size_t codings = 0;
  bool good = true;
  bool large = false;
  for (const auto& [name, value] : request.headers) {
    if (!IsToken(name) || HasControl(value)) good = false;
    const std::string lower = AsciiLower(name);
    if (lower == "host") ++hosts;
    if (lower == "content-length") {
      ++lengths;
      std::size_t length = 0;
      const char* const end = value.data() + value.size();
      const auto [stop, error] = std::from_chars(value.data(), end, length);
      if (error == std::errc::result_out_of_range)
        large = true;
      else if (error != std::errc() || stop != end)
        good = false;
      if (length > max_body) large = true;
    }
    if (lower == "transfer-encoding") {
      ++codings;
      if (AsciiLower(Trim(value)) != "chunked" || version == "HTTP/1.0") good = false;
    }
  }
  if (hosts > 1 || (hosts == 0 && version != "HTTP/1.0")) good = false;
  if (lengths > 1 || codings > 1 || (lengths > 0 && codings > 0)) good = false;
  if (!good) return FramingVerdict::kBad;
  return large ? FramingVerdict::kTooLarge : FramingVerdict::kGood;
}

}  // namespace tw::callback
