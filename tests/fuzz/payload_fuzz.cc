// Bodies made from stored events: each shape is well-formed whatever a requester typed, and none can break
// out of its header, its JSON string or its form field.
#include <nlohmann/json.hpp>

#include "access/event_json.h"
#include "fuzz.h"
#include "webhook/go_json.h"
#include "webhook/payload.h"

namespace {

using namespace tw;
using namespace tw::webhook;
using config::PayloadKind;

constexpr std::string_view kLegacyKeys[] = {"ClusterName", "RequestID", "User",       "Roles",
                                            "CreatedAt",   "State",     "NotifyOnly", "CallbackURL"};

void CheckLegacy(const std::string& body, const access::Event& event) {
  FUZZ_CHECK(body.find_first_of("<>&\n\r") == std::string::npos && IsUtf8(body));
  const auto parsed = nlohmann::ordered_json::parse(body);
  std::size_t at = 0;
  for (const auto& [key, value] : parsed.items()) FUZZ_CHECK(at < 8 && key == kLegacyKeys[at++]);
  FUZZ_CHECK(at == 8 && parsed["RequestID"] == event.request.id && parsed["User"] == event.request.user);
  FUZZ_CHECK(parsed["Roles"].is_null() == event.request.roles.empty());
}

void CheckHeaders(const Payload& payload) {
  for (const auto& [name, value] : payload.headers) {
    for (const char c : name + value) FUZZ_CHECK(c > ' ' && c <= '~');
  }
}

void CheckEvent(const access::Event& event) {
  const std::string json = access::EventToJson(event);
  const BodyContext context{false, "https://hooks.example.com/"};
  const auto legacy = MakePayload(PayloadKind::kLegacy, json, context);
  FUZZ_CHECK(legacy.has_value() == !event.request.id.empty());
  if (!legacy) return;
  CheckLegacy(legacy->body, event);
  const auto form = MakePayload(PayloadKind::kForm, json, context);
  FUZZ_CHECK(form && form->body.starts_with("payload=%7B%22ClusterName%22%3A"));
  for (const char c : form->body) FUZZ_CHECK(c > ' ' && c <= '~');
  FUZZ_CHECK(MakePayload(PayloadKind::kEvent, json, context)->body == json);
  for (const PayloadKind kind : {PayloadKind::kCloudEvents, PayloadKind::kCloudEventsBinary}) {
    const auto cloud = MakePayload(kind, json, context);
    FUZZ_CHECK(cloud.has_value() == !event.id.empty());
    if (!cloud) continue;
    FUZZ_CHECK(nlohmann::json::accept(cloud->body) && IsUtf8(cloud->body));
    CheckHeaders(*cloud);
  }
}

void CheckGoString(std::string_view text) {
  std::string quoted;
  AppendGoString(quoted, text);
  FUZZ_CHECK(nlohmann::json::parse(quoted).get<std::string>() == ToValidUtf8(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::AsText(data, size);
  CheckGoString(text);
  if (const auto event = access::EventFromJson(text)) CheckEvent(*event);
  // The stored text itself may be anything after damage.
  for (const auto kind : {PayloadKind::kLegacy, PayloadKind::kForm, PayloadKind::kCloudEvents,
                          PayloadKind::kCloudEventsBinary}) {
    const auto payload = MakePayload(kind, text, {});
    if (payload)
      CheckHeaders(*payload);
    else
      FUZZ_CHECK(fuzz::WellWorded(payload.error()));
  }
  return 0;
}
