// Numeric network addresses and ranges of them. No I/O, no name look-ups. Values, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tw {

// IPv4 is kept as its IPv4-mapped IPv6 form, so that both families compare alike.
using AddressBytes = std::array<std::uint8_t, 16>;

// "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"; zone and brackets are refused.
std::optional<AddressBytes> ParseNumeric(std::string_view text);
// The usual form: mapped addresses as IPv4.
std::string FormatNumeric(const AddressBytes& address);
bool IsLoopback(const AddressBytes& address);
// The address alone when it is IPv4, else its /64: a host owns at least that much.
AddressBytes HostPart(AddressBytes address);

// An address, or a CIDR range: "10.0.0.0/8", "2001:db8::/32".
class AddressRange {
 public:
  static std::optional<AddressRange> Parse(std::string_view text);
  bool Contains(const AddressBytes& address) const;

 private:
  AddressBytes base_{};
  unsigned bits_ = 128;  // leading bits that count
};

class AddressSet {
 public:
  // Error (kConfig) naming the entry that is neither address nor range.
  static Result<AddressSet> Parse(std::span<const std::string> entries);
  bool Contains(std::string_view address) const;
  bool empty() const { return ranges_.empty(); }

 private:
  std::vector<AddressRange> ranges_;
};

}  // namespace tw
