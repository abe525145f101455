#include "callback/json.h"

#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"

namespace tw::callback {
namespace {

using nlohmann::json;

// Go folds by Unicode: the long s and the Kelvin sign are an s and a k. Without this "\u017ftate" would be a
// second "State" that we did not see.
std::string FoldKey(std::string_view key) {
  std::string out;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key.substr(i).starts_with("\xc5\xbf")) {
      out += 's';
      i += 1;
    } else if (key.substr(i).starts_with("\xe2\x84\xaa")) {
      out += 'k';
      i += 2;
    } else {
      out += key[i];
    }
  }
  return AsciiLower(out);
}

// Builds a JsonValue; says no by returning false, which ends the parse.
class Builder final : public json::json_sax_t {
 public:
  explicit Builder(JsonKeys keys) : keys_(keys) {}

  JsonValue root;
  std::string problem;

  bool null() override { return Put({}); }
  bool boolean(bool value) override {
    JsonValue out;
    out.kind = JsonValue::Kind::kBool;
    out.truth = value;
    return Put(std::move(out));
  }
  bool number_integer(number_integer_t value) override {
    return Put(Text(JsonValue::Kind::kNumber, std::to_string(value)));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Put(Text(JsonValue::Kind::kNumber, std::to_string(value)));
  }
  bool number_float(number_float_t, const string_t& text) override {
    return Put(Text(JsonValue::Kind::kNumber, text));
  }
  bool string(string_t& value) override { return Put(Text(JsonValue::Kind::kString, std::move(value))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Open(JsonValue::Kind::kObject); }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t) override { return Open(JsonValue::Kind::kArray); }
  bool end_array() override { return Close(); }
  bool key(string_t& name) override {
    Level& level = levels_.back();
    level.key = keys_ == JsonKeys::kFolded ? FoldKey(name) : name;
    if (level.seen.insert(level.key).second) return true;
    problem = "the JSON has the same key twice";
    return false;
  }
  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    problem = "the body is not valid JSON (near byte " + std::to_string(position) + ")";
    return false;
  }

 private:
  struct Level {
    JsonValue value;
    std::string key;
    std::set<std::string> seen;  // ordered: a body of colliding hashes would cost seconds
  };

  static JsonValue Text(JsonValue::Kind kind, std::string text) {
    JsonValue out;
    out.kind = kind;
    out.text = std::move(text);
    return out;
  }
  bool Put(JsonValue value) {
    if (levels_.empty()) {
      root = std::move(value);
    } else if (Level& level = levels_.back(); level.value.kind == JsonValue::Kind::kObject) {
      level.value.members.push_back({level.key, std::move(value)});
    } else {
      level.value.items.push_back(std::move(value));
    }
    return true;
  }
  bool Open(JsonValue::Kind kind) {
    if (levels_.size() >= kJsonDepth) {
      problem = "the JSON is nested too deeply";
      return false;
    }
    levels_.emplace_back();
    levels_.back().value.kind = kind;
    return true;
  }
  bool Close() {
    JsonValue done = std::move(levels_.back().value);
    levels_.pop_back();
    return Put(std::move(done));
  }

  const JsonKeys keys_;
  std::vector<Level> levels_;
};

}  // namespace

const JsonValue* JsonValue::Find(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name == key) return &value;
  }
  return nullptr;
}

Result<JsonValue> ParseJson(std::string_view text, JsonKeys keys) {
  if (!IsUtf8(text)) return Error::Usage("the body is not UTF-8");
  // The parser would take it for the end of the text, whatever follows.
  if (text.find('\0') != std::string_view::npos) return Error::Usage("the body is not valid JSON");
  Builder builder(keys);
  try {
    if (json::sax_parse(text, &builder)) return std::move(builder.root);
  } catch (const json::exception&) {
    return Error::Usage("the body is not valid JSON");  // e.g. a number beyond any range
  }
  if (builder.problem.empty()) builder.problem = "the body is not valid JSON";
  return Error::Usage(builder.problem);
}

std::string JsonQuote(std::string_view text) {
  return json(std::string(text)).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace tw::callback
