#include "callback/body.h"

#include <fmt/format.h>

#include <set>

#include "base/duration.h"
#include "base/text.h"
#include "base/url.h"
#include "callback/json.h"

namespace tw::callback {
namespace {

using access::RequestState;
using Kind = JsonValue::Kind;

constexpr std::string_view kAnnotationPrefix = "annotations.";

Error WrongType(std::string_view key, std::string_view wanted) {
  return Error::Usage(fmt::format("{} must be {}", key, wanted));
}

Error NoDecision() {
  return Error::Usage("the decision must be to approve or to deny");
}

// Null counts as absent, as in Go.
Status ReadText(const JsonValue& object, std::string_view key, std::string& out) {
  const JsonValue* const value = object.Find(key);
  if (value == nullptr || value->IsNull()) return {};
  if (value->kind != Kind::kString) return WrongType(key, "a string");
  out = value->text;
  return {};
}

Result<std::vector<std::string>> TextList(const JsonValue& value, std::string_view key) {
  std::vector<std::string> out;
  if (value.kind == Kind::kString) return std::vector<std::string>{value.text};
  if (value.kind != Kind::kArray) return WrongType(key, "a list of strings");
  for (const JsonValue& item : value.items) {
    if (item.kind != Kind::kString) return WrongType(key, "a list of strings");
    out.push_back(item.text);
  }
  return out;
}

// Comma-separated names, blanks around them dropped.
void AddRoles(std::string_view text, std::vector<std::string>& out) {
  for (const std::string_view part : Split(text, ',')) {
    if (const std::string_view role = Trim(part); !role.empty()) out.emplace_back(role);
  }
}

bool NamesRoles(std::string_view key) {
  return key == "roles" || key == "role";
}

// Where roles are named there must be one: Teleport would grant all that was asked for.
Status SomeRole(bool named, const std::vector<std::string>& roles) {
  if (!named || !roles.empty()) return {};
  return Error::Usage("roles is empty: leave it out to grant all that was asked for");
}

Status ReadRoles(const JsonValue& object, std::vector<std::string>& out) {
  bool named = false;
  for (const auto& [key, value] : object.members) {
    if (!NamesRoles(key) || value.IsNull()) continue;
    named = true;
    if (value.kind == Kind::kString) {
      AddRoles(value.text, out);
      continue;
    }
    auto list = TextList(value, key);
    if (!list) return list.error();
    for (std::string& role : *list) {
      if (!Trim(role).empty()) out.push_back(std::move(role));
    }
  }
  return SomeRole(named, out);
}

Status ReadAnnotations(const JsonValue& object, access::Annotations& out) {
  const JsonValue* const value = object.Find("annotations");
  if (value == nullptr || value->IsNull()) return {};
  if (value->kind != Kind::kObject)
    return WrongType("annotations", "an object of strings or lists of strings");
  for (const auto& [key, member] : value->members) {
    auto list = TextList(member, "an annotation");
    if (!list) return list.error();
    out[key] = std::move(*list);
  }
  return {};
}

Status SetDecision(std::string_view word, Ask& ask) {
  if (word.empty()) return {};
  ask.decision = ParseDecision(word);
  if (!ask.decision) return NoDecision();
  return {};
}

Status SetStart(std::string_view text, Ask& ask) {
  if (text.empty()) return {};
  const auto time = ParseTime(text);
  if (!time) return WrongType("assume_start_time", "a time such as 2026-11-22T10:00:00Z");
  ask.assume_start_time = *time;
  return {};
}

Result<Ask> FromJson(std::string_view body) {
  const auto parsed = ParseJson(body, JsonKeys::kExact);
  if (!parsed) return parsed.error();
  Ask ask;
  if (parsed->IsNull()) return ask;
  if (parsed->kind != Kind::kObject) return Error::Usage("the body must be a JSON object");
  std::string decision;
  std::string start;
  for (const auto& [key, out] : {std::pair<std::string_view, std::string*>{"request_id", &ask.request_id},
                                 {"decision", &decision},
                                 {"delegator", &ask.delegator},
                                 {"reason", &ask.reason},
                                 {"assume_start_time", &start}}) {
    if (Status read = ReadText(*parsed, key, *out); !read) return read.error();
  }
  if (Status read = ReadRoles(*parsed, ask.roles); !read) return read.error();
  if (Status read = ReadAnnotations(*parsed, ask.annotations); !read) return read.error();
  if (Status set = SetDecision(decision, ask); !set) return set.error();
  if (Status set = SetStart(start, ask); !set) return set.error();
  return ask;
}

std::string DecodeForm(std::string_view text) {
  std::string spaced(text);
  for (char& c : spaced) {
    if (c == '+') c = ' ';
  }
  return PercentDecode(spaced);
}

// False: no field has that name.
Result<bool> TakeField(const std::string& name, std::string value, Ask& ask) {
  Status taken;
  if (NamesRoles(name)) {
    AddRoles(value, ask.roles);
  } else if (name.starts_with(kAnnotationPrefix)) {
    ask.annotations[name.substr(kAnnotationPrefix.size())].push_back(std::move(value));
  } else if (name == "annotations") {
    return Error::Usage("a form gives annotations one by one: annotations.KEY=value");
  } else if (name == "request_id") {
    ask.request_id = std::move(value);
  } else if (name == "delegator") {
    ask.delegator = std::move(value);
  } else if (name == "reason") {
    ask.reason = std::move(value);
  } else if (name == "decision") {
    taken = SetDecision(value, ask);
  } else if (name == "assume_start_time") {
    taken = SetStart(value, ask);
  } else {
    return false;
  }
  if (!taken) return taken.error();
  return true;
}

Result<Ask> FromForm(std::string_view body) {
  // Text inside of the JSON must not become fields.
  if (Trim(body).starts_with('{') || body.starts_with(kByteOrderMark)) {
    return Error::Usage(
        "the body looks like JSON but says it is a form: send Content-Type: application/json");
  }
  Ask ask;
  bool names_roles = false;
  std::set<std::string> seen;
  for (const std::string_view field : Split(body, '&')) {
    if (field.empty()) continue;
    const auto equals = field.find('=');
    const std::string name = DecodeForm(field.substr(0, equals));
    std::string value =
        equals == std::string_view::npos ? std::string() : DecodeForm(field.substr(equals + 1));
    if (!IsUtf8(name) || !IsUtf8(value)) return Error::Usage("the body is not UTF-8");
    names_roles = names_roles || NamesRoles(name);
    const bool repeatable = NamesRoles(name) || name.starts_with(kAnnotationPrefix);
    if (!repeatable && !seen.insert(name).second) return Error::Usage("the form has the same field twice");
    if (auto taken = TakeField(name, std::move(value), ask); !taken) return taken.error();
  }
  if (Status some = SomeRole(names_roles, ask.roles); !some) return some.error();
  return ask;
}

}  // namespace

Result<Ask> ParseLegacyBody(std::string_view body) {
  if (!Trim(body).starts_with('{'))
    return Error::Usage(
        "the body must be JSON, {\"payload\":{...}}; forms go to /v1/requests/ID/approve or deny");
  const auto parsed = ParseJson(body, JsonKeys::kFolded);
  if (!parsed) return parsed.error();
  const JsonValue* const payload = parsed->Find("payload");
  if (payload == nullptr || payload->kind != Kind::kObject)
    return Error::Usage("the body must be {\"payload\":{...}}");
  Ask ask;
  std::string other_id;
  std::string state;
  for (const auto& [key, out] : {std::pair<std::string_view, std::string*>{"reqid", &ask.request_id},
                                 {"requestid", &other_id},
                                 {"state", &state},
                                 {"delegator", &ask.delegator},
                                 {"reason", &ask.reason}}) {
    if (Status read = ReadText(*payload, key, *out); !read) return read.error();
  }
  if (ask.request_id.empty()) ask.request_id = other_id;
  if (!other_id.empty() && other_id != ask.request_id) return Error::Usage("ReqID and RequestID differ");
  const std::string word = AsciiLower(state);
  if (word == "approved") ask.decision = RequestState::kApproved;
  if (word == "denied") ask.decision = RequestState::kDenied;
  if (!ask.decision) return Error::Usage("State must be Approved or Denied");
  return ask;
}

BodyFormat FormatOf(std::string_view content_type, std::string_view body) {
  if (body.empty()) return BodyFormat::kNothing;
  const std::string type = AsciiLower(Trim(content_type.substr(0, content_type.find(';'))));
  if (type == "application/json" || (type.starts_with("application/") && type.ends_with("+json")))
    return BodyFormat::kJson;
  return type == "application/x-www-form-urlencoded" ? BodyFormat::kForm : BodyFormat::kOther;
}

Result<Ask> ParseV1Body(BodyFormat format, std::string_view body) {
  if (format == BodyFormat::kJson) return FromJson(body);
  if (format == BodyFormat::kForm) return FromForm(body);
  return Ask{};
}

bool QueryNamesFields(std::string_view target) {
  target = target.substr(0, target.find('#'));
  const auto mark = target.find('?');
  if (mark == std::string_view::npos) return false;
  Ask ignored;
  for (const std::string_view field : Split(target.substr(mark + 1), '&')) {
    const std::string name = DecodeForm(field.substr(0, field.find('=')));
    const auto taken = TakeField(name, {}, ignored);
    if (!taken || *taken || name.starts_with("annotations")) return true;
  }
  return false;
}

std::optional<RequestState> ParseDecision(std::string_view word) {
  const std::string lower = AsciiLower(word);
  if (lower == "approve" || lower == "approved") return RequestState::kApproved;
  if (lower == "deny" || lower == "denied") return RequestState::kDenied;
  return std::nullopt;
}

}  // namespace tw::callback
