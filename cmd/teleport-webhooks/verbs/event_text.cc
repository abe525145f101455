#include "verbs/event_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/duration.h"
#include "base/text.h"

namespace tw::cli {
namespace {

constexpr std::size_t kLongestReason = 75;

std::string Painted(access::EventType type, const std::string& text, const Palette& palette) {
  switch (type) {
    case access::EventType::kCreated:
      return palette.Cyan(text);
    case access::EventType::kApproved:
    case access::EventType::kPromoted:
      return palette.Green(text);
    case access::EventType::kDenied:
      return palette.Red(text);
    case access::EventType::kReviewed:
      return palette.Yellow(text);
    case access::EventType::kUpdated:
    case access::EventType::kExpired:
    case access::EventType::kDeleted:
    case access::EventType::kTest:
      break;
  }
  return palette.Dim(text);
}

// "dba,admin" and, for resources, "/cluster/kind/name".
std::string Wanted(const access::AccessRequest& request) {
  std::vector<std::string> parts = request.roles;
  for (const access::ResourceId& id : request.resources) {
    parts.push_back(fmt::format("/{}/{}/{}{}", id.cluster, id.kind, id.name,
                                id.sub_resource.empty() ? "" : "/" + id.sub_resource));
  }
  return EscapeControls(fmt::format("{}", fmt::join(parts, ",")));
}

std::string Quoted(const std::string& text) {
  if (text.empty()) return {};
  const std::string_view cut = CutUtf8(text, kLongestReason);
  return fmt::format("  \"{}{}\"", EscapeControls(cut), cut.size() < text.size() ? "..." : "");
}

}  // namespace

std::string EventText(const access::Event& event, const Palette& palette) {
  const access::AccessRequest& request = event.request;
  std::string_view name = access::EventTypeName(event.type);
  name.remove_prefix(name.find('.') + 1);
  std::string time = FormatTime(event.timestamp).substr(0, 19);
  time[10] = ' ';
  const std::string& reason = request.resolve_reason.empty() ? request.reason : request.resolve_reason;
  std::string line =
      fmt::format("{}  {}  {:<36}  {:<12}  {:<20}  {:<8}{}", palette.Dim(time),
                  Painted(event.type, fmt::format("{:<8}", name), palette), EscapeControls(request.id),
                  EscapeControls(request.user), Wanted(request),
                  event.content_known ? access::StateName(request.state) : "-", Quoted(reason));
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace tw::cli
