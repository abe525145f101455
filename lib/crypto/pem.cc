#include "crypto/pem.h"

#include <fmt/format.h>

#include <optional>

#include "base/text.h"

namespace tw::crypto {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::size_t kLineLength = 64;
constexpr std::size_t kLongestLabel = 64;

Error Broken(std::string message) {
  return {ErrorKind::kCredentials, std::move(message), {}, true};
}

bool IsLabel(std::string_view text) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ";
  return !text.empty() && text.size() <= kLongestLabel &&
         text.find_first_not_of(kLetters) == std::string_view::npos;
}

// Labels are repeated in errors: in a damaged line the rest may be the key itself, so only what is one is
// taken.
Result<std::string_view> LabelOf(std::string_view line, int number) {
  line.remove_prefix(kBegin.size());
  const std::size_t end = line.find(kDashes);
  if (end == std::string_view::npos || !IsLabel(line.substr(0, end))) {
    return Broken(fmt::format("line {}: begins a PEM block, but is damaged", number));
  }
  if (end + kDashes.size() != line.size()) {
    return Broken(fmt::format(
        "line {}: text follows in the line that begins a PEM block: its line breaks are missing", number));
  }
  return line.substr(0, end);
}

struct OpenBlock {
  PemBlock block;
  std::string base64;
};

Error Unfinished(const PemBlock& block) {
  return Broken(fmt::format("line {}: the block \"{}\" is not finished", block.line, block.label));
}

// Headers such as "Proc-Type: 4,ENCRYPTED" come before the base64 and hold a colon, which base64 never does.
void TakeLine(OpenBlock& open, std::string_view line) {
  if (line.find(':') == std::string_view::npos) {
    open.base64 += line;
  } else if (line.find("ENCRYPTED") != std::string_view::npos) {
    open.block.encrypted = true;
  }
}

Result<PemBlock> Finish(OpenBlock open) {
  std::optional<std::string> der = Base64Decode(open.base64);
  Secret wipe(std::move(open.base64));
  if (!der || der->empty()) {
    return Broken(
        fmt::format("line {}: the block \"{}\" does not hold base64", open.block.line, open.block.label));
  }
  open.block.der = Secret(std::move(*der));
  return std::move(open.block);
}

}  // namespace

Result<PemText> ScanPem(std::string_view text) {
  PemText out;
  std::optional<OpenBlock> open;
  int number = 0;
  for (std::string_view raw : Split(text, '\n')) {
    ++number;
    const std::string_view line = Trim(raw);
    if (line.empty()) continue;
    if (line.starts_with(kBegin)) {
      if (open) return Unfinished(open->block);
      const Result<std::string_view> label = LabelOf(line, number);
      if (!label) return label.error();
      open.emplace();
      open->block.label = *label;
      open->block.line = number;
      open->block.encrypted = open->block.label.starts_with("ENCRYPTED");
    } else if (open && line.starts_with(kEnd)) {
      Result<PemBlock> block = Finish(std::move(*open));
      if (!block) return block.error();
      out.blocks.push_back(std::move(*block));
      open.reset();
    } else if (open) {
      TakeLine(*open, line);
    } else {
      out.others.push_back({std::string(line), number});
    }
  }
  if (open) return Unfinished(open->block);
  return out;
}

std::string PemEncode(std::string_view label, std::string_view der) {
  const std::string base64 = Base64Encode(der);
  std::string out = fmt::format("-----BEGIN {}-----\n", label);
  for (std::size_t at = 0; at < base64.size(); at += kLineLength) {
    out += std::string_view(base64).substr(at, kLineLength);
    out += '\n';
  }
  out += fmt::format("-----END {}-----\n", label);
  return out;
}

}  // namespace tw::crypto
