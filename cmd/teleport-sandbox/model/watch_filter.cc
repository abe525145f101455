#include "model/watch_filter.h"

#include <fmt/format.h>

namespace tw::sandbox {

Answer<WatchFilter> ParseWatchFilter(const std::map<std::string, std::string>& filter) {
  WatchFilter wanted;
  for (const auto& [key, value] : filter) {
    if (key == "id") {
      wanted.id = value;
    } else if (key == "user") {
      wanted.user = value;
    } else if (key == "state") {
      const auto state = ParseState(value);
      if (!state) return BadArgument(fmt::format(R"(unknown request state: "{}")", value));
      wanted.state = *state;
    } else {
      return BadArgument(fmt::format(R"(unknown filter key "{}")", key));
    }
  }
  return wanted;
}

}  // namespace tw::sandbox
