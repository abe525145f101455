// Access request ids for the verbs that take `ID... | -`: from the arguments, or from standard input as bare
// ids or events (one a line, as `watch` prints them).
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "access/event.h"
#include "base/result.h"
#include "cli/invocation.h"

namespace tw::cli {

struct GivenRequest {
  std::string id;
  std::optional<access::Event> event;  // when the line was an event
  std::string json;                    // that line, with what this version does not know
};

// Calls `act` for each in turn until it returns false, the input ends or `stop`. A line that is neither an id
// nor an event is a kUsage error naming its number; nothing after it is read. Blank lines are skipped.
Status ForEachRequest(const Invocation& invocation, std::stop_token stop,
                      const std::function<bool(GivenRequest)>& act);

// kUsage when it cannot be the id of an access request: empty, an event id, control characters, too long.
Status CheckRequestId(const std::string& id);

}  // namespace tw::cli
