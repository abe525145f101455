#include "access/event_json.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/duration.h"
#include "base/text.h"

namespace tw::access {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 3> kKinds = {"UNDEFINED", "SHORT_TERM", "LONG_TERM"};

void PutTime(Json& out, const char* key, const std::optional<SystemTime>& time) {
  if (time) out[key] = FormatTime(*time);
}

void PutText(Json& out, const char* key, const std::string& text) {
  if (!text.empty()) out[key] = text;
}

Json AnnotationsJson(const Annotations& annotations) {
  Json out = Json::object();
  for (const auto& [key, values] : annotations) out[key] = values;
  return out;
}

Json ReviewsJson(const std::vector<Review>& reviews) {
  Json out = Json::array();
  for (const Review& review : reviews) {
    Json item = {{"author", review.author},
                 {"state", StateName(review.state)},
                 {"reason", review.reason},
                 {"roles", review.roles}};
    PutTime(item, "created", review.created);
    item["annotations"] = AnnotationsJson(review.annotations);
    PutTime(item, "assume_start_time", review.assume_start_time);
    out.push_back(std::move(item));
  }
  return out;
}

Json ResourcesJson(const std::vector<ResourceId>& resources) {
  Json out = Json::array();
  for (const ResourceId& id : resources) {
    out.push_back(
        {{"cluster", id.cluster}, {"kind", id.kind}, {"name", id.name}, {"sub_resource", id.sub_resource}});
  }
  return out;
}

Json ThresholdsJson(const std::vector<Threshold>& thresholds) {
  Json out = Json::array();
  for (const Threshold& t : thresholds) {
    out.push_back({{"name", t.name}, {"approve", t.approve}, {"deny", t.deny}, {"filter", t.filter}});
  }
  return out;
}

void PutRare(Json& out, const AccessRequest& request) {
  PutTime(out, "max_duration", request.max_duration);
  PutTime(out, "session_ttl", request.session_ttl);
  PutTime(out, "assume_start_time", request.assume_start_time);
  PutText(out, "login_hint", request.login_hint);
  if (request.access_list)
    out["access_list"] = {{"name", request.access_list->name}, {"title", request.access_list->title}};
  if (request.kind != 0) {
    const auto kind = static_cast<std::size_t>(request.kind);
    out["kind"] =
        request.kind > 0 && kind < kKinds.size() ? std::string(kKinds[kind]) : std::to_string(request.kind);
  }
  PutText(out, "revision", request.revision);
}

Json RequestJson(const AccessRequest& request, const std::optional<RequestState>& previous) {
  Json out = {{"id", request.id},
              {"user", request.user},
              {"roles", request.roles},
              {"state", StateName(request.state)}};
  if (previous) out["previous_state"] = StateName(*previous);
  out["reason"] = request.reason;
  out["resolve_reason"] = request.resolve_reason;
  PutTime(out, "created", request.created);
  PutTime(out, "expires", request.expires);
  PutTime(out, "access_expires", request.access_expires);
  out["resources"] = ResourcesJson(request.resources);
  out["suggested_reviewers"] = request.suggested_reviewers;
  out["reviews"] = ReviewsJson(request.reviews);
  out["thresholds"] = ThresholdsJson(request.thresholds);
  out["annotations"] = {{"system", AnnotationsJson(request.system_annotations)},
                        {"resolve", AnnotationsJson(request.resolve_annotations)}};
  PutRare(out, request);
  return out;
}

// Text that is not UTF-8 (a requester may type anything) is shown with replacement characters.
std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// ---- reading
// -------------------------------------------------------------------------------------------------

// Thrown inside this file only and caught in Reading().
struct Malformed {
  std::string what;
};

// Null when the member is missing or null.
const Json* Member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const Json* ObjectMember(const Json& object, const char* key) {
  const Json* value = Member(object, key);
  if (value != nullptr && !value->is_object()) throw Malformed{std::string(key) + " is not an object"};
  return value;
}

// Calls `read` with each item of a list of objects.
template <class Read>
void EachObject(const Json& object, const char* key, Read read) {
  const Json* list = Member(object, key);
  if (list == nullptr) return;
  if (!list->is_array()) throw Malformed{std::string(key) + " is not a list"};
  for (const Json& item : *list) {
    if (!item.is_object()) throw Malformed{std::string(key) + " holds something else than objects"};
    read(item);
  }
}

// A whole number that T can hold.
template <class T>
T GetNumber(const Json& object, const char* key) {
  const Json* value = Member(object, key);
  if (value == nullptr) return 0;
  const bool fits = value->is_number_unsigned()  ? std::in_range<T>(value->get<std::uint64_t>())
                    : value->is_number_integer() ? std::in_range<T>(value->get<std::int64_t>())
                                                 : false;
  if (!fits) throw Malformed{std::string(key) + " is not a whole number, or too large"};
  return value->get<T>();
}

std::string GetText(const Json& object, const char* key) {
  const Json* value = Member(object, key);
  return value == nullptr ? std::string() : value->get<std::string>();
}

std::vector<std::string> GetList(const Json& object, const char* key) {
  const Json* value = Member(object, key);
  return value == nullptr ? std::vector<std::string>() : value->get<std::vector<std::string>>();
}

std::optional<SystemTime> GetTime(const Json& object, const char* key) {
  const std::string text = GetText(object, key);
  if (text.empty()) return std::nullopt;
  const auto time = ParseTime(text);
  if (!time) throw Malformed{std::string(key) + ": " + time.error().message};
  return *time;
}

std::optional<RequestState> GetState(const Json& object, const char* key) {
  const std::string text = GetText(object, key);
  if (text.empty()) return std::nullopt;
  const auto state = ParseState(text);
  if (!state) throw Malformed{std::string(key) + " is not a state"};
  return state;
}

Annotations GetAnnotations(const Json& object, const char* key) {
  const Json* value = Member(object, key);
  return value == nullptr ? Annotations() : value->get<Annotations>();
}

Review ReadReview(const Json& json) {
  Review review;
  review.author = GetText(json, "author");
  review.state = GetState(json, "state").value_or(RequestState::kNone);
  review.reason = GetText(json, "reason");
  review.roles = GetList(json, "roles");
  review.created = GetTime(json, "created");
  review.assume_start_time = GetTime(json, "assume_start_time");
  review.annotations = GetAnnotations(json, "annotations");
  return review;
}

void ReadLists(const Json& json, AccessRequest& request) {
  EachObject(json, "resources", [&](const Json& item) {
    request.resources.push_back({GetText(item, "cluster"), GetText(item, "kind"), GetText(item, "name"),
                                 GetText(item, "sub_resource")});
  });
  EachObject(json, "reviews", [&](const Json& item) { request.reviews.push_back(ReadReview(item)); });
  EachObject(json, "thresholds", [&](const Json& item) {
    request.thresholds.push_back({GetText(item, "name"), GetNumber<std::uint32_t>(item, "approve"),
                                  GetNumber<std::uint32_t>(item, "deny"), GetText(item, "filter")});
  });
}

std::int32_t ReadKind(const Json& json) {
  const std::string text = GetText(json, "kind");
  if (text.empty()) return 0;
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] == text) return static_cast<std::int32_t>(i);
  }
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    throw Malformed{"kind is not a kind of request"};
  return number;
}

AccessRequest ReadRequest(const Json& json) {
  if (!json.is_object()) throw Malformed{"data is not an object"};
  AccessRequest request;
  request.id = GetText(json, "id");
  request.user = GetText(json, "user");
  request.roles = GetList(json, "roles");
  request.state = GetState(json, "state").value_or(RequestState::kNone);
  request.reason = GetText(json, "reason");
  request.resolve_reason = GetText(json, "resolve_reason");
  request.created = GetTime(json, "created");
  request.expires = GetTime(json, "expires");
  request.access_expires = GetTime(json, "access_expires");
  request.max_duration = GetTime(json, "max_duration");
  request.session_ttl = GetTime(json, "session_ttl");
  request.assume_start_time = GetTime(json, "assume_start_time");
  request.suggested_reviewers = GetList(json, "suggested_reviewers");
  ReadLists(json, request);
  if (const Json* annotations = ObjectMember(json, "annotations")) {
    request.system_annotations = GetAnnotations(*annotations, "system");
    request.resolve_annotations = GetAnnotations(*annotations, "resolve");
  }
  request.login_hint = GetText(json, "login_hint");
  if (const Json* list = ObjectMember(json, "access_list"))
    request.access_list = AccessList{GetText(*list, "name"), GetText(*list, "title")};
  request.kind = ReadKind(json);
  request.revision = GetText(json, "revision");
  return request;
}

std::optional<DecisionNote> ReadDecision(const Json& data) {
  const Json* decision = ObjectMember(data, "decision");
  if (decision == nullptr) return std::nullopt;
  DecisionNote note{GetText(*decision, "by"), GetText(*decision, "via"), GetText(*decision, "mode"), {}};
  if (const auto at = GetTime(*decision, "at")) note.at = *at;
  return note;
}

Event ReadEvent(const Json& json) {
  if (!json.is_object()) throw Malformed{"not a JSON object"};
  const auto type = ParseEventType(GetText(json, "type"));
  if (!type) throw Malformed{"type is not an event type"};
  const Json* data = Member(json, "data");
  if (data == nullptr) throw Malformed{"data is missing"};
  Event event;
  event.type = *type;
  event.id = GetText(json, "id");
  event.timestamp = GetTime(json, "timestamp").value_or(SystemTime());
  event.cluster = GetText(json, "cluster");
  event.source = ParseEventSource(GetText(json, "source")).value_or(EventSource::kManual);
  event.seq = GetNumber<std::int64_t>(json, "seq");
  AccessRequest request = ReadRequest(*data);
  event.content_known = data->contains("state");
  if (event.content_known) {
    event.request = std::move(request);
  } else {
    event.request.id = std::move(request.id);
  }
  event.previous_state = GetState(*data, "previous_state");
  event.decision = ReadDecision(*data);
  event.web_url = GetText(*data, "web_url");
  return event;
}

// JSON nested deeper than any event is an attack on the parser's stack.
constexpr int kDeepest = 32;

template <class T, class Read>
Result<T> Reading(std::string_view text, Read read) {
  try {
    const auto shallow = [](int depth, Json::parse_event_t, Json&) {
      if (depth > kDeepest) throw Malformed{"nested too deeply"};
      return true;
    };
    return read(Json::parse(text, shallow));
  } catch (const Malformed& error) {
    return Error::Usage("not an event: " + EscapeControls(error.what));
  } catch (const Json::parse_error& error) {
    return Error::Usage("not an event: not valid JSON at byte " + std::to_string(error.byte),
                        "give events as watch prints them, one a line, or ids");
  } catch (const Json::out_of_range&) {
    return Error::Usage("not an event: it holds a number that is too large");
  } catch (const std::exception& error) {
    // The parser quotes the text it stumbled over.
    return Error::Usage("not an event: " + EscapeControls(error.what()));
  }
}

}  // namespace

std::string RequestToJson(const AccessRequest& request, std::string_view web_url) {
  Json out = RequestJson(request, std::nullopt);
  if (!web_url.empty()) out["web_url"] = web_url;
  return Dump(out);
}

Result<AccessRequest> RequestFromJson(std::string_view json) {
  return Reading<AccessRequest>(json, [](const Json& parsed) { return ReadRequest(parsed); });
}

std::string EventToJson(const Event& event) {
  Json data =
      event.content_known ? RequestJson(event.request, event.previous_state) : Json{{"id", event.request.id}};
  if (event.decision) {
    const DecisionNote& note = *event.decision;
    data["decision"] = {{"by", note.by}, {"via", note.via}, {"mode", note.mode}, {"at", FormatTime(note.at)}};
  }
  if (!event.web_url.empty()) data["web_url"] = event.web_url;
  const Json out = {{"type", EventTypeName(event.type)},
                    {"id", event.id},
                    {"timestamp", FormatTime(event.timestamp)},
                    {"version", 1},
                    {"cluster", event.cluster},
                    {"source", EventSourceName(event.source)},
                    {"seq", event.seq},
                    {"data", std::move(data)}};
  return Dump(out);
}

Result<Event> EventFromJson(std::string_view json) {
  return Reading<Event>(json, [](const Json& parsed) { return ReadEvent(parsed); });
}

}  // namespace tw::access
