#include "callback/mhd/request_head.h"

#include <microhttpd.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/text.h"
#include "callback/network.h"

namespace tw::callback {
namespace {

MHD_Result Collect(void* out, MHD_ValueKind, const char* name, std::size_t name_size, const char* value,
                   std::size_t value_size) {
  auto& headers = *static_cast<std::vector<std::pair<std::string, std::string>>*>(out);
  headers.emplace_back(std::string(name, name_size),
                       value == nullptr ? std::string() : std::string(value, value_size));
  return MHD_YES;
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

std::vector<std::pair<std::string, std::string>> ReadHeaders(MHD_Connection* connection) {
  std::vector<std::pair<std::string, std::string>> out;
  MHD_get_connection_values_n(connection, MHD_HEADER_KIND, &Collect, &out);
  return out;
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
      if (AsciiLower(Trim(value)) != "chunked") good = false;
    }
  }
  if (hosts > 1 || (hosts == 0 && version != "HTTP/1.0")) good = false;
  if (lengths > 1 || codings > 1 || (lengths > 0 && codings > 0)) good = false;
  if (!good) return FramingVerdict::kBad;
  return large ? FramingVerdict::kTooLarge : FramingVerdict::kGood;
}

}  // namespace tw::callback
