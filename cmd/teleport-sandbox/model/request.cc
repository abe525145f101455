#include "model/request.h"

#include <array>

#include "base/text.h"

namespace tw::sandbox {
namespace {

constexpr std::array<std::string_view, 5> kStates{"NONE", "PENDING", "APPROVED", "DENIED", "PROMOTED"};

}  // namespace

std::string_view StateName(State state) {
  const auto index = static_cast<std::size_t>(state);
  return index < kStates.size() ? kStates[index] : "UNKNOWN";
}

std::optional<State> ParseState(std::string_view text) {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (kStates[i] == text) return static_cast<State>(i);
  }
  return std::nullopt;
}

std::string Resource::Text() const {
  std::string text = "/" + cluster + "/" + kind + "/" + name;
  if (!sub_resource.empty()) text += "/" + sub_resource;
  return text;
}

std::optional<Resource> ParseResource(std::string_view text) {
  if (!text.starts_with('/')) return std::nullopt;
  const std::vector<std::string_view> parts = Split(text.substr(1), '/');
  if (parts.size() < 3) return std::nullopt;
  for (std::size_t i = 0; i < 3; ++i) {
    if (parts[i].empty()) return std::nullopt;
  }
  Resource resource{std::string(parts[0]), std::string(parts[1]), std::string(parts[2]), {}};
  // A sub-resource may hold slashes of its own (Kubernetes: namespace/name).
  for (std::size_t i = 3; i < parts.size(); ++i) {
    if (i > 3) resource.sub_resource += '/';
    resource.sub_resource += parts[i];
  }
  return resource;
}

}  // namespace tw::sandbox
