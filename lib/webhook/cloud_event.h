// CloudEvents 1.0.2 over HTTP, structured and binary mode. Pure, any thread.
// Attributes: id = event id, source = /teleport/<cluster>, type, time, subject = request id, datacontenttype;
// the extensions `sequence` (the event's seq) and `origin` (watch, resync, ...). Data is the event's `data`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "webhook/payload.h"

namespace tw::webhook {

Result<Payload> StructuredCloudEvent(std::string_view event_json, std::optional<std::string> shaped);
// Attributes go into ce-* headers, percent-encoded as the HTTP binding (section 3.1.3.2) demands.
Result<Payload> BinaryCloudEvent(std::string_view event_json, std::optional<std::string> shaped);

}  // namespace tw::webhook
