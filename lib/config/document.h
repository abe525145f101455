// A parsed TOML document as plain values with their places in the text. The adapter of the TOML library is
// document.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tw::config {

// Lines and columns count from 1; columns count characters, not bytes. Line 0: no place.
struct Place {
  int line = 0;
  int column = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 mistakes the defaulted comparison for a literal 0.
  auto operator<=>(const Place&) const = default;
};

struct Member;

struct Value {
  enum class Kind { kText, kInteger, kFloat, kBool, kTime, kList, kTable };

  Kind kind = Kind::kTable;
  Place begin;
  Place end;  // behind the last character
  std::string text;
  std::int64_t integer = 0;
  bool boolean = false;
  std::vector<Value> items;     // kList
  std::vector<Member> members;  // kTable, in the order of the text

  bool table() const { return kind == Kind::kTable; }
  bool list() const { return kind == Kind::kList; }
};

struct Member {
  std::string key;  // as written, without quotes
  Place begin;      // of the key
  Place end;
  Value value;
};

// What a value of this kind is called in a message: "text", "a whole number", ...
std::string_view KindName(Value::Kind kind);

struct SyntaxError {
  Place place;
  std::string what;  // holds at most one character of a value, so never a secret
};

// Parsing stops at the first syntax error. Never throws. Thread-safe.
std::variant<Value, SyntaxError> ParseDocument(std::string_view text);

}  // namespace tw::config
