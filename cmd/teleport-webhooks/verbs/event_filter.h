// Which events `watch` prints.
#pragma once

#include <string>
#include <vector>

#include "access/event.h"
#include "base/result.h"
#include "cli/parse.h"

namespace tw::cli {

class EventFilter {
 public:
  // Reads --id, --user, --role, --state and --type. Values of one flag are alternatives, flags combine.
  static Result<EventFilter> From(const Arguments& args);
  bool Passes(const access::Event& event) const;

 private:
  std::vector<std::string> ids_;
  std::vector<std::string> users_;
  std::vector<std::string> roles_;
  std::vector<access::RequestState> states_;
  std::vector<access::EventType> types_;
};

}  // namespace tw::cli
