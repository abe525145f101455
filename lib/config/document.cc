#include "config/document.h"

#include <toml++/toml.h>

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace tw::config {
namespace {

Place At(const toml::source_position& position) {
  return {static_cast<int>(position.line), static_cast<int>(position.column)};
}

Value Convert(const toml::node& node);

void ConvertTable(const toml::table& table, Value& out) {
  out.kind = Value::Kind::kTable;
  for (const auto& [key, child] : table) {
    Member member;
    member.key = std::string(key.str());
    member.begin = At(key.source().begin);
    member.end = At(key.source().end);
    member.value = Convert(child);
    out.members.push_back(std::move(member));
  }
  // The library keeps its tables sorted by name; messages and rewriting want the order of the text.
  std::stable_sort(out.members.begin(), out.members.end(),
                   [](const Member& a, const Member& b) { return a.begin < b.begin; });
}

void ConvertScalar(const toml::node& node, Value& out) {
  if (const auto* text = node.as_string()) {
    out.kind = Value::Kind::kText;
    out.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    out.kind = Value::Kind::kInteger;
    out.integer = integer->get();
  } else if (const auto* boolean = node.as_boolean()) {
    out.kind = Value::Kind::kBool;
    out.boolean = boolean->get();
  } else if (node.is_floating_point()) {
    out.kind = Value::Kind::kFloat;
  } else {
    out.kind = Value::Kind::kTime;
  }
}

Value Convert(const toml::node& node) {
  Value out;
  out.begin = At(node.source().begin);
  out.end = At(node.source().end);
  if (const auto* table = node.as_table()) {
    ConvertTable(*table, out);
  } else if (const auto* array = node.as_array()) {
    out.kind = Value::Kind::kList;
    for (const toml::node& item : *array) out.items.push_back(Convert(item));
  } else {
    ConvertScalar(node, out);
  }
  return out;
}

// The library goes down one call for each part of a dotted key, as often as a text asks for. It has a limit
// of its own for brackets.
constexpr int kMostKeyParts = 1000;

std::optional<SyntaxError> KeyTooDeep(std::string_view text) {
  int line = 1;
  int parts = 1;
  for (const char c : text) {
    if (c == '\n') ++line;
    if (std::string_view("\n,=[]{}").find(c) != std::string_view::npos) parts = 1;
    if (c == '.' && ++parts > kMostKeyParts)
      return SyntaxError{{line, 1}, "a key has more than " + std::to_string(kMostKeyParts) + " parts"};
  }
  return std::nullopt;
}

}  // namespace

std::string_view KindName(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::kText:
      return "text";
    case Value::Kind::kInteger:
      return "a whole number";
    case Value::Kind::kFloat:
      return "a number with a fraction";
    case Value::Kind::kBool:
      return "true or false";
    case Value::Kind::kTime:
      return "a date or time";
    case Value::Kind::kList:
      return "a list";
    case Value::Kind::kTable:
      return "a table";
  }
  return "unknown";
}

std::variant<Value, SyntaxError> ParseDocument(std::string_view text) {
  if (auto deep = KeyTooDeep(text)) return *std::move(deep);
  try {
    return Convert(toml::parse(text));
  } catch (const toml::parse_error& error) {
    return SyntaxError{At(error.source().begin), EscapeControls(error.description())};
  } catch (const std::exception& error) {
    return SyntaxError{{}, EscapeControls(error.what())};
  }
}

}  // namespace tw::config
