// One line of the audit trail. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "callback/ports.h"

namespace tw::callback {

inline constexpr std::string_view kNoHash =
    "0000000000000000000000000000000000000000000000000000000000000000";

struct ChainLink {
  std::uint64_t seq = 0;
  std::string prev;
  std::string hash;
};

// Without the line break. `hash` receives the line's own.
std::string AuditLine(const AuditRecord& record, std::uint64_t seq, std::string_view prev, std::string& hash);
// Nullopt: not a line of ours, or its hash is not that of its text.
std::optional<ChainLink> ReadAuditLine(std::string_view line);

}  // namespace tw::callback
