#include "verbs/event_filter.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "base/text.h"
#include "verbs/ids.h"

namespace tw::cli {
namespace {

template <class T>
bool Allows(const std::vector<T>& wanted, const T& value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

}  // namespace

Result<EventFilter> EventFilter::From(const Arguments& args) {
  EventFilter filter;
  filter.ids_ = args.Values("id");
  filter.users_ = args.Values("user");
  filter.roles_ = args.Values("role");
  for (const std::string_view flag : {"user", "role"}) {
    const auto names = args.Values(flag);
    if (std::find(names.begin(), names.end(), "") != names.end())
      return Error::Usage(fmt::format("--{} is empty, which nothing matches", flag));
  }
  for (const std::string& id : filter.ids_) {
    if (const Status valid = CheckRequestId(id); !valid) return valid.error();
  }
  for (const std::string& name : args.Values("state")) {
    const auto state = access::ParseState(name);
    if (!state)
      return Error::Usage(fmt::format("--state \"{}\" is not a state", EscapeControls(name)),
                          "write pending, approved, denied or promoted");
    filter.states_.push_back(*state);
  }
  for (const std::string& name : args.Values("type")) {
    const auto type = access::ParseEventType(AsciiLower(name));
    if (!type)
      return Error::Usage(fmt::format("--type \"{}\" is not an event type", EscapeControls(name)),
                          "write e.g. created, reviewed, approved, denied, expired or deleted");
    filter.types_.push_back(*type);
  }
  return filter;
}

bool EventFilter::Passes(const access::Event& event) const {
  const access::AccessRequest& request = event.request;
  const auto has_role = [&](const std::string& role) {
    return std::any_of(roles_.begin(), roles_.end(), [&](const std::string& pattern) {
      return fnmatch(pattern.c_str(), role.c_str(), 0) == 0;
    });
  };
  return Allows(ids_, request.id) && Allows(users_, request.user) && Allows(states_, request.state) &&
         Allows(types_, event.type) &&
         (roles_.empty() || std::any_of(request.roles.begin(), request.roles.end(), has_role));
}

}  // namespace tw::cli
