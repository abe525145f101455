// JSON of strangers, read with suspicion: duplicate keys, deep nesting, text after the value and bytes that
// are not UTF-8 are refused. Wraps nlohmann's SAX parser. Stateless, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tw::callback {

struct JsonMember;

struct JsonValue {
  enum class Kind { kNull, kBool, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  bool truth = false;
  std::string text;                 // of a string; numbers as written
  std::vector<JsonValue> items;     // of an array
  std::vector<JsonMember> members;  // of an object, in order

  bool IsNull() const { return kind == Kind::kNull; }
  const JsonValue* Find(std::string_view key) const;
};

struct JsonMember {
  std::string key;
  JsonValue value;
};

enum class JsonKeys {
  kExact,
  kFolded,  // "ReqID" and "reqid" are one key, as in Go's decoder; names come out in lower case
};

inline constexpr int kJsonDepth = 32;

// Error (kUsage): one sentence that quotes nothing of the text.
Result<JsonValue> ParseJson(std::string_view text, JsonKeys keys);

// Text as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
std::string JsonQuote(std::string_view text);

}  // namespace tw::callback
