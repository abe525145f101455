#include "access/event.h"

#include <algorithm>
#include <array>
#include <string>

#include "access/event_json.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace tw::access {
namespace {

struct TypeName {
  EventType type;
  std::string_view name;
};
constexpr std::string_view kPrefix = "access_request.";
constexpr std::array kTypes = {
    TypeName{EventType::kCreated, "access_request.created"},
    TypeName{EventType::kReviewed, "access_request.reviewed"},
    TypeName{EventType::kApproved, "access_request.approved"},
    TypeName{EventType::kDenied, "access_request.denied"},
    TypeName{EventType::kPromoted, "access_request.promoted"},
    TypeName{EventType::kUpdated, "access_request.updated"},
    TypeName{EventType::kExpired, "access_request.expired"},
    TypeName{EventType::kDeleted, "access_request.deleted"},
    TypeName{EventType::kTest, "endpoint.test"},
};
constexpr std::array<std::string_view, 5> kSources = {"watch", "snapshot", "resync", "test", "manual"};

// 128 bits of hash: two changes never collide in practice, and the id stays short and free of dots.
std::string MakeId(std::string_view cluster, std::string_view request_id, std::string_view word) {
  std::string material(cluster);
  material += '\0';
  material += request_id;
  material += '\0';
  material += word;
  return "evt_" + HexEncode(crypto::Sha256(material).substr(0, 16));
}

}  // namespace

std::string_view EventTypeName(EventType type) {
  return kTypes[static_cast<std::size_t>(type)].name;
}

std::optional<EventType> ParseEventType(std::string_view name) {
  const auto* found = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeName& entry) {
    return entry.name == name ||
           (entry.name.starts_with(kPrefix) && entry.name.substr(kPrefix.size()) == name);
  });
  if (found == kTypes.end()) return std::nullopt;
  return found->type;
}

bool IsGone(EventType type) {
  return type == EventType::kExpired || type == EventType::kDeleted;
}

std::string_view EventSourceName(EventSource source) {
  return kSources[static_cast<std::size_t>(source)];
}

std::optional<EventSource> ParseEventSource(std::string_view name) {
  const auto* found = std::find(kSources.begin(), kSources.end(), name);
  if (found == kSources.end()) return std::nullopt;
  return static_cast<EventSource>(found - kSources.begin());
}

std::string CreatedEventId(std::string_view cluster, std::string_view request_id) {
  return MakeId(cluster, request_id, "created");
}

std::string GoneEventId(std::string_view cluster, std::string_view request_id) {
  return MakeId(cluster, request_id, "gone");
}

std::string ChangeEventId(std::string_view cluster, const AccessRequest& request) {
  if (!request.revision.empty()) return MakeId(cluster, request.id, request.revision);
  if (request.metadata_id != 0) return MakeId(cluster, request.id, std::to_string(request.metadata_id));
  return MakeId(cluster, request.id, HexEncode(crypto::Sha256(RequestToJson(request))));
}

}  // namespace tw::access
