// A legacy body is the most frequent one, so its few fields are picked from the event as it is parsed.
#include <nlohmann/json.hpp>

#include "base/duration.h"
#include "webhook/legacy_body.h"

namespace tw::webhook {
namespace {

using access::RequestState;

// SAX handler: remembers where it is and keeps the strings that count. Throws nothing; `wrong` says what was
// amiss.
class FieldPicker {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  LegacyFields fields;
  std::string type;
  std::string created;
  std::string state;
  std::string wrong;

  bool null() { return true; }
  bool boolean(bool) { return Scalar(); }
  bool number_integer(number_integer_t) { return Scalar(); }
  bool number_unsigned(number_unsigned_t) { return Scalar(); }
  bool number_float(number_float_t, const string_t&) { return Scalar(); }
  bool binary(binary_t&) { return Scalar(); }
  bool string(string_t& value) {
    if (in_roles_ && depth_ == 3) {
      fields.roles.push_back(std::move(value));
    } else if (std::string* place = Place()) {
      *place = std::move(value);
    }
    return true;
  }
  bool key(string_t& name) {
    if (depth_ == 1) top_ = name;
    if (depth_ == 2) inner_ = name;
    return true;
  }
  bool start_object(std::size_t) { return Enter(); }
  bool end_object() { return Leave(); }
  bool start_array(std::size_t) {
    if (in_roles_) return Fail(inner_);
    in_roles_ = depth_ == 2 && top_ == "data" && inner_ == "roles";
    if (in_roles_) {
      ++depth_;
      return true;
    }
    return Enter();
  }
  bool end_array() {
    in_roles_ = false;
    return Leave();
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) {
    wrong = "it is not JSON";
    return false;
  }

 private:
  // Where a string at this place goes; null when nobody needs it.
  std::string* Place() {
    if (depth_ == 1) return top_ == "type" ? &type : top_ == "cluster" ? &fields.cluster : nullptr;
    if (depth_ != 2 || top_ != "data") return nullptr;
    if (inner_ == "id") return &fields.request_id;
    if (inner_ == "user") return &fields.user;
    if (inner_ == "created") return &created;
    if (inner_ == "state") return &state;
    return nullptr;
  }
  bool Fail(std::string_view name) {
    wrong = "\"" + std::string(name) + "\" has the wrong type";
    return false;
  }
  bool Scalar() {
    if (depth_ == 0) return Fail("event");
    if (Place() != nullptr || in_roles_) return Fail(depth_ == 1 ? top_ : inner_);
    return true;
  }
  bool Enter() {
    if ((depth_ > 0 && Place() != nullptr) || in_roles_) return Fail(depth_ == 1 ? top_ : inner_);
    ++depth_;
    return true;
  }
  bool Leave() {
    --depth_;
    return true;
  }

  int depth_ = 0;
  bool in_roles_ = false;
  std::string top_;
  std::string inner_;
};

Error Bad(const std::string& why) {
  return Error::Usage("not an event: " + why);
}

}  // namespace

Result<LegacyFields> ReadLegacyFields(std::string_view event_json) {
  FieldPicker picker;
  if (!nlohmann::json::sax_parse(event_json, &picker)) return Bad(picker.wrong);
  if (picker.type.empty()) return Bad("its type is missing");
  // A type of a later version changes nothing here: only the two kinds of deletion have a State of their own.
  const auto type = access::ParseEventType(picker.type).value_or(access::EventType::kUpdated);
  if (picker.fields.request_id.empty()) return Bad("it names no request");
  RequestState state = RequestState::kNone;
  if (!picker.state.empty()) {
    const auto parsed = access::ParseState(picker.state);
    if (!parsed) return Bad("\"state\" is not a state");
    state = *parsed;
  }
  if (!picker.created.empty()) {
    const auto created = ParseTime(picker.created);
    if (!created) return Bad("\"created\" is not a time");
    picker.fields.created_at = std::chrono::floor<std::chrono::seconds>(*created).time_since_epoch().count();
  }
  picker.fields.state = LegacyState(type, state);
  return std::move(picker.fields);
}

}  // namespace tw::webhook
