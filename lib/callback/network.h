// Numeric network addresses and sets of them. No I/O, no name look-ups. Values, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tw::callback {

// IPv4 is kept as its IPv4-mapped IPv6 form, so that both families compare alike.
using AddressBytes = std::array<std::uint8_t, 16>;

// "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"; zone and brackets are refused.
std::optional<AddressBytes> ParseNumeric(std::string_view text);
// The usual form: mapped addresses as IPv4.
std::string FormatNumeric(const AddressBytes& address);
bool IsLoopback(const AddressBytes& address);

// What counts as one client for limits: an IPv4 address, an IPv6 /64 (a host owns at least that much), or the
// text itself when it is not an address ("unix").
std::string ClientKey(std::string_view address);

// Addresses and CIDR ranges.
class AddressSet {
 public:
  // Error (kConfig) naming the entry that is neither.
  static Result<AddressSet> Parse(std::span<const std::string> entries);
  bool Contains(std::string_view address) const;
  bool empty() const { return ranges_.empty(); }

 private:
  struct Range {
    AddressBytes base{};
    unsigned bits = 128;  // leading bits that count
  };
  std::vector<Range> ranges_;
};

}  // namespace tw::callback
