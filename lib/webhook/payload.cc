#include "webhook/payload.h"

#include "webhook/cloud_event.h"

namespace tw::webhook {

constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kFormType = "application/x-www-form-urlencoded";

Result<Payload> MakePayload(config::PayloadKind kind, std::string_view event_json, const BodyContext& context,
                            std::optional<std::string> shaped) {
  using config::PayloadKind;
  if (kind == PayloadKind::kCloudEvents) return StructuredCloudEvent(event_json, std::move(shaped));
  if (kind == PayloadKind::kCloudEventsBinary) return BinaryCloudEvent(event_json, std::move(shaped));
  if (shaped) return Payload{kJsonType, {}, *std::move(shaped)};
  if (kind == PayloadKind::kEvent) return Payload{kJsonType, {}, std::string(event_json)};
  const auto fields = ReadLegacyFields(event_json);
  if (!fields) return fields.error();
  if (kind == PayloadKind::kForm) return Payload{kFormType, {}, LegacyForm(*fields, context)};
  return Payload{kJsonType, {}, LegacyJson(*fields, context)};
}

bool IsLegacyShape(const config::EndpointSettings& endpoint) {
  return !endpoint.transform &&
         (endpoint.payload == config::PayloadKind::kLegacy || endpoint.payload == config::PayloadKind::kForm);
}

}  // namespace tw::webhook
