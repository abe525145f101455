#include "base/network.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/text.h"

namespace tw {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kMappedBits = 96;
constexpr unsigned kAllBits = 128;
constexpr unsigned kNetworkBytes = 8;  // of an IPv6 address: a /64

bool IsMapped(const AddressBytes& address) {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.begin());
}

bool SamePrefix(const AddressBytes& a, const AddressBytes& b, unsigned bits) {
  const unsigned whole = bits / 8;
  if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff00U >> rest);
  return (a[whole] & mask) == (b[whole] & mask);
}

}  // namespace

std::optional<AddressBytes> ParseNumeric(std::string_view text) {
  // inet_pton stops at a NUL; what comes after it must not get through unseen.
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string copy(text);
  AddressBytes out{};
  in_addr v4{};
  if (inet_pton(AF_INET, copy.c_str(), &v4) == 1) {
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), out.begin());
    std::memcpy(out.data() + kMappedPrefix.size(), &v4, sizeof v4);
    return out;
  }
  if (inet_pton(AF_INET6, copy.c_str(), out.data()) == 1) return out;
  return std::nullopt;
}

std::string FormatNumeric(const AddressBytes& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (IsMapped(address)) {
    inet_ntop(AF_INET, address.data() + kMappedPrefix.size(), text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, address.data(), text.data(), text.size());
  }
  return text.data();
}

bool IsLoopback(const AddressBytes& address) {
  if (IsMapped(address)) return address[kMappedPrefix.size()] == 127;
  AddressBytes one{};
  one.back() = 1;
  return address == one;
}

AddressBytes HostPart(AddressBytes address) {
  if (!IsMapped(address)) std::fill(address.begin() + kNetworkBytes, address.end(), std::uint8_t{0});
  return address;
}

std::optional<AddressRange> AddressRange::Parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto base = ParseNumeric(text.substr(0, slash));
  if (!base) return std::nullopt;
  AddressRange out;
  out.base_ = *base;
  if (slash == std::string_view::npos) return out;
  const std::string_view digits = text.substr(slash + 1);
  const unsigned outer = IsMapped(*base) ? kMappedBits : 0;
  unsigned given = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), given);
  if (error != std::errc() || end != digits.data() + digits.size() || given > kAllBits - outer)
    return std::nullopt;
  out.bits_ = outer + given;
  return out;
}

bool AddressRange::Contains(const AddressBytes& address) const {
  return SamePrefix(address, base_, bits_);
}

Result<AddressSet> AddressSet::Parse(std::span<const std::string> entries) {
  AddressSet out;
  for (const std::string& entry : entries) {
    const auto range = AddressRange::Parse(entry);
    if (!range) {
      return Error::Config(fmt::format("\"{}\" is neither an address nor a range", EscapeControls(entry)),
                           "write for example 192.0.2.10 or 10.0.0.0/8");
    }
    out.ranges_.push_back(*range);
  }
  return out;
}

bool AddressSet::Contains(std::string_view address) const {
  const auto parsed = ParseNumeric(address);
  return parsed && std::any_of(ranges_.begin(), ranges_.end(),
                               [&](const AddressRange& range) { return range.Contains(*parsed); });
}

}  // namespace tw
