#include "callback/audit_line.h"

#include <fmt/format.h>

#include <charconv>

#include "base/duration.h"
#include "base/text.h"
#include "callback/json.h"
#include "crypto/digest.h"

namespace tw::callback {
namespace {

constexpr std::string_view kSeqKey = "{\"seq\":";
constexpr std::string_view kPrevKey = ",\"prev\":\"";
constexpr std::string_view kHashKey = ",\"hash\":\"";
constexpr std::size_t kHexHash = 64;

}  // namespace

std::string AuditLine(const AuditRecord& record, std::uint64_t seq, std::string_view prev,
                      std::string& hash) {
  std::string line = fmt::format(
      R"({{"seq":{},"time":{},"caller":{},"client":{},"request_id":{},"decision":{},"delegator":{},"status":{},"result":{})",
      seq, JsonQuote(FormatTime(record.time)), JsonQuote(EscapeControls(record.caller)),
      JsonQuote(record.client), JsonQuote(EscapeControls(record.request_id)), JsonQuote(record.decision),
      JsonQuote(EscapeControls(record.delegator)), record.status, JsonQuote(record.result));
  if (record.suppressed != 0) line += fmt::format(R"(,"suppressed":{})", record.suppressed);
  line += fmt::format(R"(,"prev":"{}")", prev);
  hash = HexEncode(crypto::Sha256(line));
  return fmt::format("{}{}{}\"}}", line, kHashKey, hash);
}

std::optional<ChainLink> ReadAuditLine(std::string_view line) {
  const auto at = line.rfind(kHashKey);
  if (at == std::string_view::npos) return std::nullopt;
  ChainLink link;
  link.hash = std::string(line.substr(at + kHashKey.size(), kHexHash));
  if (line.substr(at) != fmt::format("{}{}\"}}", kHashKey, link.hash) ||
      link.hash != HexEncode(crypto::Sha256(line.substr(0, at)))) {
    return std::nullopt;
  }
  // Both stand where AuditLine puts them. A trail may be long: reading its lines as JSON takes most of the
  // time.
  const std::string_view text = line.substr(0, at);
  if (!text.starts_with(kSeqKey) || text.size() < kSeqKey.size() + kPrevKey.size() + kHexHash + 1)
    return std::nullopt;
  const char* const begin = text.data() + kSeqKey.size();
  const auto [stop, error] = std::from_chars(begin, text.data() + text.size(), link.seq);
  if (error != std::errc() || *stop != ',') return std::nullopt;
  link.prev = std::string(text.substr(text.size() - kHexHash - 1, kHexHash));
  if (!text.ends_with(fmt::format("{}{}\"", kPrevKey, link.prev))) return std::nullopt;
  return link;
}

}  // namespace tw::callback
