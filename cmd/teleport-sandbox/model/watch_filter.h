// What a watcher wants of access requests. Facts: reference page section 3.2. Pure, any thread.
#pragma once

#include <map>
#include <string>

#include "model/refusal.h"
#include "model/request.h"

namespace tw::sandbox {

struct WatchFilter {
  std::string id;
  std::string user;
  State state = State::kNone;

  // For PUT only: removals go to every watcher.
  bool Matches(const Request& request) const {
    return (id.empty() || request.id == id) && (user.empty() || request.user == user) &&
           (state == State::kNone || request.state == state);
  }
};

// Unknown keys and states are refused.
Answer<WatchFilter> ParseWatchFilter(const std::map<std::string, std::string>& filter);

}  // namespace tw::sandbox
