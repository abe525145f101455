// Payload: what one attempt carries, made from a stored event. Pure, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "webhook/legacy_body.h"

namespace tw::webhook {

struct Payload {
  std::string_view content_type;  // a literal
  std::vector<std::pair<std::string, std::string>>
      headers;  // beyond Content-Type; only the binary CloudEvents mode has any
  std::string body;
};

// `event_json` as it is stored; with kEvent these very bytes are sent. `shaped`: the result of `transform`,
// compact JSON; it takes the place of the data of a CloudEvent and of the whole body otherwise. Error:
// kUsage, a stored event that cannot be read.
Result<Payload> MakePayload(config::PayloadKind kind, std::string_view event_json, const BodyContext& context,
                            std::optional<std::string> shaped = std::nullopt);

// Does this endpoint receive the original's body (and so obeys the rule on equal states, see router.h)?
bool IsLegacyShape(const config::EndpointSettings& endpoint);

}  // namespace tw::webhook
