#include "callback/audit_line.h"

#include <fmt/format.h>

#include <charconv>

#include "base/duration.h"
#include "base/text.h"
#include "callback/json.h"
#include "crypto/digest.h"

namespace tw::callback {
namespace {

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
  const auto parsed = ParseJson(line, JsonKeys::kExact);
  if (!parsed) return std::nullopt;
  const JsonValue* const seq = parsed->Find("seq");
  const JsonValue* const prev = parsed->Find("prev");
  if (seq == nullptr || prev == nullptr) return std::nullopt;
  const char* const end = seq->text.data() + seq->text.size();
  if (std::from_chars(seq->text.data(), end, link.seq).ptr != end) return std::nullopt;
  link.prev = prev->text;
  return link;
}

}  // namespace tw::callback
