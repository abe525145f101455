// The made-up event of `send --test`.
#pragma once

#include <string>
#include <vector>

#include "access/event.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace tw::cli {

struct TestEvent {
  std::string id;
  std::string json;
};

// "evt_" and 128 random bits: the webhook-id of what has no id of its own.
std::string NewEventId(Random& random);
// The event under another id, with all else as it is.
std::string WithId(const std::string& event_json, const std::string& id);

// `type`: empty for endpoint.test. `fields`: "path=value" with dots in the path, e.g. data.user=alice; a
// value that is JSON is taken as JSON, anything else as text. Error: kUsage.
Result<TestEvent> MakeTestEvent(const std::string& type, const std::vector<std::string>& fields,
                                const Clock& clock, Random& random);

}  // namespace tw::cli
