#include "verbs/test_event.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "access/event_json.h"
#include "base/text.h"
#include "crypto/webhook_signature.h"

namespace tw::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string RandomHex(Random& random, std::size_t bytes) {
  std::string raw(bytes, '\0');
  random.Fill(std::as_writable_bytes(std::span(raw)));
  return HexEncode(raw);
}

access::RequestState StateFor(access::EventType type) {
  switch (type) {
    case access::EventType::kApproved:
      return access::RequestState::kApproved;
    case access::EventType::kDenied:
      return access::RequestState::kDenied;
    case access::EventType::kPromoted:
      return access::RequestState::kPromoted;
    default:
      return access::RequestState::kPending;
  }
}

access::Event Sample(access::EventType type, const Clock& clock, Random& random) {
  access::Event event;
  event.type = type;
  event.id = NewEventId(random);
  event.timestamp = clock.Now();
  event.cluster = "example.com";
  event.source = access::EventSource::kTest;
  event.seq = 1;
  const std::string hex = RandomHex(random, 16);
  event.request.id = fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                                 hex.substr(16, 4), hex.substr(20));
  event.request.user = "test-user";
  event.request.roles = {"test-role"};
  event.request.state = StateFor(type);
  event.request.reason = "a test by teleport-webhooks; nobody asked for access";
  event.request.created = clock.Now();
  event.request.expires = clock.Now() + std::chrono::hours(1);
  return event;
}

Status SetField(Json& event, const std::string& field) {
  const auto equals = field.find('=');
  if (equals == 0 || equals == std::string::npos)
    return Error::Usage(fmt::format("--field \"{}\" is not PATH=VALUE", EscapeControls(field)));
  const std::string text = field.substr(equals + 1);
  Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded()) value = text;
  Json* at = &event;
  for (const std::string_view part : Split(std::string_view(field).substr(0, equals), '.')) {
    if (part.empty() || !(at->is_object() || at->is_null()))
      return Error::Usage(fmt::format("--field \"{}\": no such place in an event", EscapeControls(field)));
    at = &(*at)[std::string(part)];
  }
  *at = std::move(value);
  return {};
}

}  // namespace

std::string NewEventId(Random& random) {
  return "evt_" + RandomHex(random, 16);
}

std::string WithId(const std::string& event_json, const std::string& id) {
  Json event = Json::parse(event_json, nullptr, false);
  event["id"] = id;
  return event.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<TestEvent> MakeTestEvent(const std::string& type, const std::vector<std::string>& fields,
                                const Clock& clock, Random& random) {
  const auto parsed = type.empty() ? access::EventType::kTest : access::ParseEventType(type);
  if (!parsed)
    return Error::Usage(fmt::format("--type \"{}\" is not an event type", EscapeControls(type)),
                        "write e.g. access_request.created");
  Json event = Json::parse(access::EventToJson(Sample(*parsed, clock, random)));
  for (const std::string& field : fields) {
    if (const Status set = SetField(event, field); !set) return set.error();
  }
  const std::string json = event.dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto checked = access::EventFromJson(json);
  if (!checked) return checked.error().Within("--field");
  if (!crypto::IsWebhookId(checked->id))
    return Error::Usage("--field id: not usable as a webhook-id",
                        "at most 64 characters, no dots, blanks or control characters");
  return TestEvent{checked->id, json};
}

}  // namespace tw::cli
