#include "config/setting.h"

#include <fmt/format.h>

#include <charconv>
#include <set>

#include "base/duration.h"
#include "base/text.h"
#include "config/setting_rules.h"

namespace tw::config {
namespace {

std::string Example(const KeySpec& spec) {
  switch (spec.type) {
    case ValueType::kBool:
      return fmt::format("write {} = true or {} = false", spec.name, spec.name);
    case ValueType::kInteger:
      return fmt::format("write {} = {}", spec.name, spec.standard.empty() ? "1" : spec.standard);
    case ValueType::kTexts:
    case ValueType::kNetworks:
    case ValueType::kDecisions:
    case ValueType::kEvents:
    case ValueType::kSecrets:
      return fmt::format("write {} = [\"...\", \"...\"]", spec.name);
    case ValueType::kStates:
      return fmt::format("write {} = [\"Pending\", \"Approved\"]", spec.name);
    case ValueType::kHeaders:
      return fmt::format("write {} = {{ \"X-Name\" = \"value\" }}", spec.name);
    case ValueType::kChoice:
    case ValueType::kDuration:
    case ValueType::kSize:
    case ValueType::kRate:
      return fmt::format("write {} = \"{}\"", spec.name, spec.standard);
    default:
      return fmt::format("write {} = \"...\"", spec.name);
  }
}

Complaint WrongKind(const KeySpec& spec, const Value& value) {
  return {fmt::format("expected {}, found {}", TypeName(spec.type), KindName(value.kind)), Example(spec),
          value.begin};
}

Parsed ParseInteger(const KeySpec& spec, std::int64_t number) {
  const auto dots = spec.detail.find("..");
  std::int64_t least = 0;
  std::int64_t most = 0;
  std::from_chars(spec.detail.data(), spec.detail.data() + dots, least);
  std::from_chars(spec.detail.data() + dots + 2, spec.detail.data() + spec.detail.size(), most);
  if (number < least || number > most) {
    return Complaint{fmt::format("{} is out of range", number),
                     fmt::format("write a number from {} to {}", least, most),
                     {}};
  }
  Setting setting;
  setting.number = number;
  return setting;
}

// A table `name = true/false`, or a list of names.
Parsed ParseStates(const KeySpec& spec, const Value& value) {
  Setting setting;
  std::set<std::string> seen;
  const auto take = [&](std::string_view name, Place place) -> std::optional<Complaint> {
    const auto state = CanonicalState(name);
    if (!state) {
      std::vector<std::string_view> known = Split(spec.detail, '|');
      Complaint complaint = UnknownWord(name, "state", known);
      complaint.place = place;
      return complaint;
    }
    if (!seen.insert(*state).second)
      return Complaint{fmt::format("names {} twice", *state), "name each state once", place};
    setting.texts.push_back(*state);
    return std::nullopt;
  };
  if (value.list()) {
    for (const Value& item : value.items) {
      if (item.kind != Value::Kind::kText) return WrongKind(spec, item);
      if (auto complaint = take(item.text, item.begin)) return *complaint;
    }
    return setting;
  }
  if (!value.table()) return WrongKind(spec, value);
  for (const Member& member : value.members) {
    if (member.value.kind != Value::Kind::kBool) {
      return Complaint{fmt::format("the state {} must be true or false, not {}", EscapeControls(member.key),
                                   KindName(member.value.kind)),
                       "write { \"Pending\" = true, \"Approved\" = false }", member.value.begin};
    }
    if (auto complaint = take(member.key, member.begin)) return *complaint;
    if (!member.value.boolean) setting.texts.pop_back();
  }
  return setting;
}

Parsed ParseHeaders(const KeySpec& spec, const Value& value) {
  if (!value.table()) return WrongKind(spec, value);
  Setting setting;
  std::set<std::string> seen;
  for (const Member& member : value.members) {
    if (member.value.kind != Value::Kind::kText) return WrongKind(spec, member.value);
    auto complaint = CheckHeader(member.key, member.value.text);
    if (!complaint && !seen.insert(AsciiLower(member.key)).second) {
      complaint = Complaint{fmt::format("the header {} is given twice", member.key), "keep one", {}};
    }
    if (complaint) {
      complaint->place = member.begin;
      return *complaint;
    }
    setting.pairs.emplace_back(member.key, member.value.text);
  }
  return setting;
}

Parsed ParseList(const KeySpec& spec, const Value& value) {
  if (!value.list()) return WrongKind(spec, value);
  // Whoever writes an empty list may mean none, and the program would take it as all.
  const bool empty_is_all =
      spec.type == ValueType::kTexts || spec.type == ValueType::kDecisions || spec.type == ValueType::kEvents;
  if (value.items.empty() && empty_is_all)
    return Complaint{"is an empty list", "name what is meant, or leave the key out for all", {}};
  std::vector<std::string> texts;
  for (const Value& item : value.items) {
    if (item.kind != Value::Kind::kText) return WrongKind(spec, item);
    texts.push_back(item.text);
  }
  return ParseTextList(spec, texts);
}

bool IsList(ValueType type) {
  return type == ValueType::kTexts || type == ValueType::kNetworks || type == ValueType::kDecisions ||
         type == ValueType::kEvents || type == ValueType::kSecrets;
}

Value TextList(std::string_view text, char separator) {
  Value list;
  list.kind = Value::Kind::kList;
  for (const std::string_view part : Split(text, separator)) {
    if (Trim(part).empty()) continue;
    Value item;
    item.kind = Value::Kind::kText;
    item.text = std::string(Trim(part));
    list.items.push_back(std::move(item));
  }
  return list;
}

Parsed ParseHeaderLines(const KeySpec& spec, std::string_view text) {
  Value table;
  int line = 0;
  for (const std::string_view row : Split(text, '\n')) {
    ++line;
    if (Trim(row).empty()) continue;
    const auto colon = row.find(':');
    if (colon == std::string_view::npos) {
      return Complaint{
          fmt::format("line {} of the file is not a header", line), "write one \"Name: value\" a line", {}};
    }
    Member member;
    member.key = std::string(Trim(row.substr(0, colon)));
    member.value.kind = Value::Kind::kText;
    member.value.text = std::string(Trim(row.substr(colon + 1)));
    table.members.push_back(std::move(member));
  }
  return ParseHeaders(spec, table);
}

}  // namespace

Parsed ParseSetting(const KeySpec& spec, const Value& value) {
  if (spec.type == ValueType::kStates) return ParseStates(spec, value);
  if (spec.type == ValueType::kHeaders) return ParseHeaders(spec, value);
  if (IsList(spec.type)) return ParseList(spec, value);
  if (spec.type == ValueType::kBool) {
    if (value.kind != Value::Kind::kBool) return WrongKind(spec, value);
    Setting setting;
    setting.number = value.boolean ? 1 : 0;
    return setting;
  }
  if (spec.type == ValueType::kInteger) {
    if (value.kind != Value::Kind::kInteger) return WrongKind(spec, value);
    return ParseInteger(spec, value.integer);
  }
  if (spec.type == ValueType::kDuration && value.kind == Value::Kind::kInteger) {
    return Complaint{fmt::format("{} has no unit", value.integer),
                     fmt::format("write {} = \"{}s\"", spec.name, value.integer),
                     {}};
  }
  if (value.kind != Value::Kind::kText) return WrongKind(spec, value);
  return ParseTextValue(spec, value.text);
}

Parsed ParseSettingText(const KeySpec& spec, std::string_view text) {
  Value value;
  value.kind = Value::Kind::kText;
  value.text = std::string(text);
  if (spec.type == ValueType::kBool) {
    const std::string word = AsciiLower(text);
    if (word != "true" && word != "false") {
      return Complaint{
          fmt::format("\"{}\" is neither true nor false", EscapeControls(text)), "write true or false", {}};
    }
    value.kind = Value::Kind::kBool;
    value.boolean = word == "true";
  } else if (spec.type == ValueType::kInteger) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value.integer);
    if (error != std::errc() || end != text.data() + text.size()) {
      return Complaint{
          fmt::format("\"{}\" is not a whole number", EscapeControls(text)), "write digits only", {}};
    }
    value.kind = Value::Kind::kInteger;
  } else if (IsList(spec.type) || spec.type == ValueType::kStates) {
    value = TextList(text, ',');
  }
  return ParseSetting(spec, value);
}

Parsed ParseSettingFile(const KeySpec& spec, std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) return Complaint{"the file is empty", "put the value into it", {}};
  if (spec.type == ValueType::kHeaders) return ParseHeaderLines(spec, text);
  if (spec.type == ValueType::kSecrets) return ParseSetting(spec, TextList(text, '\n'));
  return ParseSettingText(spec, text);
}

}  // namespace tw::config
