// The table of every configuration key: one row drives parsing, defaults, environment names, --set,
// suggestions,
// --show-config and the checks of man page and completions against the program. Immutable; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/settings.h"

namespace tw::config {

enum class ValueType {
  kText,
  kPath,
  kSecret,
  kBool,
  kInteger,
  kDuration,
  kSize,
  kRate,
  kChoice,
  kUrl,  // absolute http(s) URL, for sending to
  kProxyUrl,
  kPublicAddr,  // URL, host or host:port, user info allowed
  kAddress,     // host:port to connect to
  kListen,      // host:port, unix:PATH or systemd
  kDelegator,   // body, auth or fixed:NAME
  kLogOutput,   // stderr, stdout or a path, and the original's other words for them
  kSeverity,
  kName,       // letters, digits, ".", "_", "-"
  kProgram,    // jq
  kTexts,      // list of text
  kNetworks,   // list of addresses or CIDR ranges
  kDecisions,  // list of approve, deny
  kStates,     // list, or table name -> bool
  kEvents,     // list of event types
  kSecrets,    // list of secrets
  kHeaders,    // table name -> text
};

// One value as parsed by its type; which member counts depends on the type.
struct Setting {
  std::string text;
  std::int64_t number = 0;  // integer, choice (index), bool, milliseconds, bytes
  std::optional<double> rate;
  std::vector<std::string> texts;
  std::vector<std::pair<std::string, std::string>> pairs;
  std::string origin;  // "file:12: webhook.when", for programs that are compiled later
};

// Where the values of a section go.
struct Sink {
  Settings* settings = nullptr;
  EndpointSettings* endpoint = nullptr;
  CallerSettings* caller = nullptr;
};

struct KeySpec {
  std::string_view section = {};  // "delivery": in [webhook] and every [[endpoint]]
  std::string_view name = {};     // "retry.initial"
  ValueType type = ValueType::kText;
  std::string_view standard = {};  // default as TOML text; empty: none
  unsigned flags = 0;
  void (*store)(Sink&, const Setting&) = nullptr;
  std::string_view detail = {};  // choices "a|b", or a range "1..1024"
  std::string_view help = {};
  std::string_view alias_of = {};  // the name that holds the value

  bool original() const { return (flags & kOriginal) != 0; }
  bool secret() const {
    return type == ValueType::kSecret || type == ValueType::kSecrets || type == ValueType::kHeaders;
  }
  // May stand in a file of its own, named by `<name>_file`.
  bool has_file() const { return secret() || (flags & kMayHoldSecret) != 0; }
  // Can be written as one word: available from the environment and, unless secret, through --set.
  bool scalar() const { return type != ValueType::kSecrets && type != ValueType::kHeaders; }

  static constexpr unsigned kOriginal = 1;
  static constexpr unsigned kMayHoldSecret = 2;  // a URL whose path or user info is one
  static constexpr unsigned kIgnored = 4;        // accepted with a warning, without effect
};

std::span<const KeySpec> AllSpecs();
// The rows that may stand in a section: "webhook" and "endpoint" include the delivery rows.
std::vector<const KeySpec*> SpecsOf(std::string_view section);
const KeySpec* FindSpec(std::string_view section, std::string_view name);

struct KeyInfo {
  std::string section;  // "teleport", ..., "endpoint", "callback.caller"
  std::string key;      // "retry.initial"; also "<key>_file" rows, with `file_variant`
  std::string type;     // for a person: "duration", "list of text", ...
  std::string standard;
  std::string choices;  // "auto|auth|proxy"; empty: free
  std::string help;
  std::string environment;  // empty: not available
  bool original = false;
  bool secret = false;
  bool settable = false;      // --set
  bool list_section = false;  // [[endpoint]], [[callback.caller]]
  bool file_variant = false;

  std::string FullName() const { return section + "." + key; }
};

// Every key, in the order of the manual.
std::vector<KeyInfo> Keys();
inline constexpr std::string_view kEnvironmentPrefix = "TELEPORT_WEBHOOKS_";
std::string EnvironmentName(std::string_view section, std::string_view name);
std::string_view TypeName(ValueType type);

inline constexpr std::string_view kSections[] = {
    "teleport", "webhook", "endpoint", "http", "callback", "callback.caller", "state", "diagnostics", "log"};

}  // namespace tw::config
