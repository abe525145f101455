#include "callback/headers.h"

#include "base/text.h"

namespace tw::callback {

std::vector<std::string_view> FindHeaders(const HttpRequest& request, std::string_view name) {
  std::vector<std::string_view> out;
  const std::string wanted = AsciiLower(name);
  for (const auto& [key, value] : request.headers) {
    if (key.size() == wanted.size() && AsciiLower(key) == wanted) out.push_back(value);
  }
  return out;
}

std::optional<std::string_view> FindHeader(const HttpRequest& request, std::string_view name) {
  const auto all = FindHeaders(request, name);
  return all.size() == 1 ? std::optional(all[0]) : std::nullopt;
}

}  // namespace tw::callback
