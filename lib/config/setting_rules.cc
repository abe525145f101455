#include "config/setting_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/duration.h"
#include "base/network.h"
#include "base/text.h"
#include "base/url.h"

namespace tw::config {
namespace {

// The longest path that fits a sockaddr_un, with its final NUL.
constexpr std::size_t kMostUnixPath = 107;
constexpr std::size_t kMostName = 64;
constexpr std::size_t kMostDelegator = 128;

constexpr std::array<std::string_view, 8> kEventTypes = {"created",  "reviewed", "approved", "denied",
                                                         "promoted", "updated",  "expired",  "deleted"};
constexpr std::string_view kEventPrefix = "access_request.";

Setting Text(std::string_view text, std::int64_t number = 0) {
  Setting setting;
  setting.text = std::string(text);
  setting.number = number;
  return setting;
}

Complaint Bad(std::string what, std::string hint = {}) {
  return {std::move(what), std::move(hint), {}};
}
Complaint Bad(const Error& error) {
  return {error.message, error.hint, {}};
}
std::string Quoted(std::string_view text) {
  return fmt::format("\"{}\"", EscapeControls(CutUtf8(text, 80)));
}

Parsed ParseChoice(const KeySpec& spec, std::string_view text) {
  const auto choices = Split(spec.detail, '|');
  const std::string word = AsciiLower(text);
  const auto found = std::find(choices.begin(), choices.end(), word);
  if (found == choices.end()) return UnknownWord(text, "value", choices);
  return Text(word, found - choices.begin());
}

Parsed ParseDurationIn(const KeySpec& spec, std::string_view text) {
  const auto duration = ParseDuration(text);
  if (!duration) return Bad(duration.error());
  const auto dots = spec.detail.find("..");
  const milliseconds least = ParseDuration(spec.detail.substr(0, dots)).value_or(milliseconds(0));
  const milliseconds most = ParseDuration(spec.detail.substr(dots + 2)).value_or(milliseconds::max());
  if (*duration < least || *duration > most) {
    return Bad(fmt::format("{} is out of range", Quoted(text)),
               fmt::format("write a duration from {} to {}", spec.detail.substr(0, dots),
                           spec.detail.substr(dots + 2)));
  }
  return Text(text, duration->count());
}

std::optional<std::int64_t> ParseSize(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0 || number > 1'000'000'000) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit == "B") return number;
  if (unit == "KiB") return number * 1024;
  if (unit == "MiB") return number * 1024 * 1024;
  if (unit == "kB" || unit == "KB") return number * 1000;
  if (unit == "MB") return number * 1000 * 1000;
  return std::nullopt;
}

Parsed ParseSizeIn(const KeySpec& spec, std::string_view text) {
  const auto size = ParseSize(text);
  if (!size)
    return Bad(fmt::format("{} is not a size", Quoted(text)),
               "write a number with a unit, e.g. 64KiB or 1MiB");
  const auto dots = spec.detail.find("..");
  if (*size < ParseSize(spec.detail.substr(0, dots)).value_or(0) ||
      *size > ParseSize(spec.detail.substr(dots + 2)).value_or(0)) {
    return Bad(
        fmt::format("{} is out of range", Quoted(text)),
        fmt::format("write a size from {} to {}", spec.detail.substr(0, dots), spec.detail.substr(dots + 2)));
  }
  return Text(text, *size);
}

Parsed ParseRate(std::string_view text) {
  Setting setting = Text(text);
  if (AsciiLower(text) == "off") return setting;
  const auto slash = text.find('/');
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + std::min(slash, text.size()), number);
  const std::string_view unit = slash == std::string_view::npos ? "" : text.substr(slash + 1);
  const double seconds = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  const bool whole = error == std::errc() && slash != std::string_view::npos && end == text.data() + slash;
  if (!whole || seconds == 0 || !std::isfinite(number) || number <= 0 || number > 1e6) {
    return Bad(fmt::format("{} is not a rate", Quoted(text)), "write e.g. \"20/s\", \"100/m\" or \"off\"");
  }
  setting.rate = number / seconds;
  return setting;
}

Parsed ParseConnectAddress(std::string_view text) {
  const auto address = ParseAddress(text);
  if (!address) {
    return Bad(
        address.error().message,
        "write host:port, e.g. \"teleport.example.com:443\" for a proxy, port 3025 for an Auth Service");
  }
  if (address->host.empty()) return Bad(fmt::format("{} names no host", Quoted(text)), "write host:port");
  if (address->port == 0) return Bad("port 0 cannot be connected to", "write host:port");
  return Text(text);
}

Parsed ParseListen(const KeySpec& spec, std::string_view text) {
  if (spec.section == "diagnostics" && (text.empty() || AsciiLower(text) == "off")) return Text("");
  if (text == "systemd") {
    // There is one socket to pass on, and it is that of [http].
    if (spec.section != "diagnostics") return Text(text);
    return Bad("only http.listen_addr takes a socket from systemd",
               "write \"127.0.0.1:9090\" or \"unix:/run/...\"");
  }
  if (text.starts_with("unix:")) {
    const std::string_view path = text.substr(5);
    if (path.empty() || path.size() > kMostUnixPath || !Printable(path)) {
      return Bad(fmt::format("{} names no usable path", Quoted(text)),
                 fmt::format("write unix:/run/..., at most {} bytes", kMostUnixPath));
    }
    return Text(text);
  }
  const auto address = ParseAddress(text);
  if (!address) {
    return Bad(address.error().message,
               fmt::format("write \":8081\", \"127.0.0.1:8081\", \"[::1]:8081\"{}",
                           spec.section == "diagnostics" ? " or \"unix:/run/name.sock\""
                                                         : ", \"unix:/run/name.sock\" or \"systemd\""));
  }
  return Text(text);
}

Parsed ParsePublicAddr(std::string_view text) {
  const auto scheme_end = text.find("://");
  const bool has_scheme = scheme_end != std::string_view::npos;
  const auto url = ParseUrl(has_scheme ? std::string(text) : fmt::format("https://{}", text));
  if (!url) return Bad(url.error().message, "write \"https://host\", \"host\" or \"host:port\"");
  const std::size_t start = has_scheme ? scheme_end + 3 : 0;
  const std::size_t authority = std::min(text.find_first_of("/?#", start), text.size());
  const auto at = text.substr(0, authority).rfind('@');
  if (at == std::string_view::npos || at < start) return Text(text);
  // What is shown and sent to receivers never holds the user info.
  Setting setting = Text(fmt::format("{}{}", text.substr(0, start), text.substr(at + 1)));
  if (url->user.empty() || url->password.empty()) {
    return Bad("its user info lacks the user or the password",
               "write https://user:password@host, or use [http.basic_auth]");
  }
  setting.pairs.emplace_back(url->user, std::string(url->password.Reveal()));
  return setting;
}

Parsed ParseTargetUrl(std::string_view text) {
  const auto url = ParseUrl(text);
  if (!url) return Bad(url.error());
  if (url->user.empty() != url->password.empty()) {
    return Bad("its user info lacks the user or the password",
               "write https://user:password@host/..., or use basic_user and basic_password");
  }
  return Text(text);
}

Parsed ParseDelegator(std::string_view text) {
  const std::string word = AsciiLower(text);
  if (word == "body") return Text("", static_cast<int>(DelegatorSource::kBody));
  if (word == "auth") return Text("", static_cast<int>(DelegatorSource::kAuth));
  constexpr std::string_view kFixed = "fixed:";
  if (!word.starts_with(kFixed))
    return Bad(fmt::format("{} is unknown", Quoted(text)), "write \"body\", \"auth\" or \"fixed:NAME\"");
  const std::string_view name = text.substr(kFixed.size());
  if (Trim(name).empty() || name.size() > kMostDelegator || EscapeControls(name) != name) {
    return Bad("the name after fixed: is empty, too long or holds control characters",
               fmt::format("write \"fixed:NAME\" with a name of at most {} bytes", kMostDelegator));
  }
  return Text(name, static_cast<int>(DelegatorSource::kFixed));
}

// The original took words and descriptor numbers too, see original-plugin.md A.7.
Parsed ParseLogOutput(std::string_view text) {
  const std::string word = AsciiLower(text);
  if (word == "stderr" || word == "error" || word == "err" || word == "2") return Text("stderr");
  if (word == "stdout" || word == "out" || word == "1") return Text("stdout");
  if (text.empty() || !Printable(text))
    return Bad("is not a usable path", "write \"stderr\", \"stdout\" or a path");
  return Text(text);
}

Parsed ParseSeverity(std::string_view text) {
  const auto level = ParseLogLevel(text);
  if (level) return Text(text, static_cast<int>(*level));
  constexpr std::array<std::string_view, 4> kLevels = {"DEBUG", "INFO", "WARN", "ERROR"};
  return UnknownWord(text, "severity", kLevels);
}

// A program may run over several lines.
std::string Unwrapped(std::string_view text) {
  std::string out(text);
  std::erase_if(out, [](char c) { return c == '\n' || c == '\r' || c == '\t'; });
  return out;
}

Parsed ParseName(std::string_view text) {
  const bool fine =
      !text.empty() && text.size() <= kMostName && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '_' || c == '-';
      });
  if (!fine)
    return Bad(fmt::format("{} is not a usable name", Quoted(text)),
               fmt::format("write 1 to {} letters, digits, \".\", \"_\" or \"-\"", kMostName));
  return Text(text);
}

std::optional<Complaint> CheckListItem(const KeySpec& spec, std::string& text) {
  if (spec.type == ValueType::kNetworks && !AddressRange::Parse(text)) {
    return Bad(fmt::format("{} is neither an address nor a range", Quoted(text)),
               "write e.g. \"10.0.0.0/8\" or \"::1\"");
  }
  if (spec.type == ValueType::kDecisions) {
    constexpr std::array<std::string_view, 2> kDecisions = {"approve", "deny"};
    text = AsciiLower(text);
    if (std::find(kDecisions.begin(), kDecisions.end(), text) == kDecisions.end())
      return UnknownWord(text, "decision", kDecisions);
  }
  if (spec.type == ValueType::kEvents) {
    std::string name = AsciiLower(text);
    if (name.starts_with(kEventPrefix)) name.erase(0, kEventPrefix.size());
    if (std::find(kEventTypes.begin(), kEventTypes.end(), name) == kEventTypes.end())
      return UnknownWord(text, "event type", kEventTypes);
    text = std::string(kEventPrefix) + name;
  }
  if (text.empty()) return Bad("holds an empty text", "remove it");
  return std::nullopt;
}

}  // namespace

Parsed ParseTextValue(const KeySpec& spec, std::string_view text) {
  switch (spec.type) {
    case ValueType::kChoice:
      return ParseChoice(spec, text);
    case ValueType::kDuration:
      return ParseDurationIn(spec, text);
    case ValueType::kSize:
      return ParseSizeIn(spec, text);
    case ValueType::kRate:
      return ParseRate(text);
    case ValueType::kAddress:
      return ParseConnectAddress(text);
    case ValueType::kListen:
      return ParseListen(spec, text);
    case ValueType::kPublicAddr:
      return text.empty() ? Parsed(Text("")) : ParsePublicAddr(text);
    case ValueType::kUrl:
      return ParseTargetUrl(text);
    case ValueType::kDelegator:
      return ParseDelegator(text);
    case ValueType::kLogOutput:
      return ParseLogOutput(text);
    case ValueType::kSeverity:
      return ParseSeverity(text);
    case ValueType::kName:
      return ParseName(text);
    case ValueType::kProxyUrl:
      if (const auto url = ParseUrl(text); !url)
        return Bad(url.error().message, "write \"http://host:port\"");
      return Text(text);
    case ValueType::kPath:
      if (text.find('\0') != std::string_view::npos) return Bad("holds a NUL character", "write a path");
      return Text(text);
    case ValueType::kProgram:
      if (Trim(text).empty()) return Bad("is empty", "write a jq program, or leave the key out");
      if (EscapeControls(Unwrapped(text)) != Unwrapped(text))
        return Bad("holds a control character, or is not UTF-8", "remove it");
      return Text(text);
    default:
      // The text itself stays out of the message: it may be a secret.
      if (text.starts_with(kByteOrderMark))
        return Bad("begins with a byte order mark", "save the file without one (UTF-8, no BOM)");
      if (!Printable(text)) return Bad("holds a control character, or is not UTF-8", "remove it");
      return Text(text);
  }
}

Parsed ParseTextList(const KeySpec& spec, const std::vector<std::string>& texts) {
  Setting setting;
  for (std::string text : texts) {
    if (auto complaint = CheckListItem(spec, text)) return *complaint;
    if (!Printable(text)) return Bad("holds a control character, or is not UTF-8", "remove it");
    setting.texts.push_back(std::move(text));
  }
  return setting;
}

std::optional<Complaint> CheckHeader(std::string_view name, std::string_view value) {
  // Fields that the sender sets itself, and those that belong to one hop (RFC 9110 section 7.6.1).
  constexpr std::array<std::string_view, 21> kForbidden = {"x-hub-signature-256",
                                                           "ce-specversion",
                                                           "ce-id",
                                                           "ce-source",
                                                           "ce-type",
                                                           "ce-subject",
                                                           "ce-time",
                                                           "ce-seq",
                                                           "ce-origin",
                                                           "host",
                                                           "content-length",
                                                           "content-type",
                                                           "connection",
                                                           "keep-alive",
                                                           "proxy-authenticate",
                                                           "proxy-connection",
                                                           "proxy-authorization",
                                                           "te",
                                                           "trailer",
                                                           "transfer-encoding",
                                                           "upgrade"};
  constexpr std::string_view kTokenSigns = "!#$%&'*+-.^_`|~";
  const bool token = !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kTokenSigns.find(c) != std::string_view::npos;
  });
  if (!token)
    return Bad(fmt::format("{} is not a header name", Quoted(name)), "write letters, digits and \"-\"");
  const std::string lower = AsciiLower(name);
  if (std::find(kForbidden.begin(), kForbidden.end(), lower) != kForbidden.end() ||
      lower.starts_with("webhook-")) {
    return Bad(fmt::format("the header {} is set by the program or belongs to the connection", name),
               "remove it");
  }
  const bool clean = std::all_of(value.begin(), value.end(),
                                 [](char c) { return (c >= ' ' && c != 0x7f) || c == '\t' || c < 0; });
  if (!clean || Trim(value) != value) {
    return Bad(fmt::format("the value of the header {} holds a control character or blanks around it", name),
               "remove them");
  }
  return std::nullopt;
}

std::optional<std::string> CanonicalState(std::string_view name) {
  constexpr std::array<std::string_view, 7> kStates = {"Pending", "Approved", "Denied", "Promoted",
                                                       "Deleted", "Expired",  "*"};
  for (const std::string_view state : kStates) {
    if (AsciiLower(state) == AsciiLower(name)) return std::string(state);
  }
  return std::nullopt;
}

Complaint UnknownWord(std::string_view word, std::string_view what, std::span<const std::string_view> known) {
  const std::string nearest = Nearest(word, known);
  Complaint complaint{fmt::format("unknown {} {}", what, Quoted(word)),
                      fmt::format("write one of {}", fmt::join(known, ", ")),
                      {}};
  if (!nearest.empty())
    complaint.hint = fmt::format("did you mean \"{}\"? Known are {}", nearest, fmt::join(known, ", "));
  return complaint;
}

bool Printable(std::string_view text) {
  return IsUtf8(text) &&
         std::none_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
}

}  // namespace tw::config
