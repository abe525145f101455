#include "webhook/router.h"

#include <algorithm>
#include <optional>

#include "access/event_json.h"
#include "webhook/payload.h"

namespace tw::webhook {
namespace {

using access::Event;

bool Names(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// The name that `request_states` uses for a state; empty for one that only * names.
std::string_view StateWord(access::RequestState state) {
  switch (state) {
    case access::RequestState::kPending:
      return "Pending";
    case access::RequestState::kApproved:
      return "Approved";
    case access::RequestState::kDenied:
      return "Denied";
    case access::RequestState::kPromoted:
      return "Promoted";
    case access::RequestState::kNone:
      break;
  }
  return {};
}

// The event's JSON, made when the first program asks for it.
class LazyJson {
 public:
  explicit LazyJson(const Event& event) : event_(event) {}
  std::string_view Text() {
    if (!text_) text_ = access::EventToJson(event_);
    return *text_;
  }

 private:
  const Event& event_;
  std::optional<std::string> text_;
};

}  // namespace

struct Router::Lane {
  std::string name;
  std::vector<std::string> request_states;
  std::vector<std::string> events;
  bool legacy = false;
  std::unique_ptr<jq::Program> when;

  bool Wants(const Event& event) const {
    if (!events.empty() && !Names(events, access::EventTypeName(event.type))) return false;
    if (legacy && access::IsGone(event.type) && !event.content_known) return false;
    return StatesAllow(request_states, event);
  }
};

Router::Router(std::vector<Lane> lanes) : lanes_(std::move(lanes)) {}
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;
Router::~Router() = default;

Result<Router> Router::Create(const std::vector<config::EndpointSettings>& endpoints,
                              jq::Compiler* compiler) {
  std::vector<Lane> lanes;
  for (const config::EndpointSettings& endpoint : endpoints) {
    Lane lane{endpoint.name, endpoint.request_states, endpoint.events, IsLegacyShape(endpoint), nullptr};
    if (endpoint.when) {
      if (compiler == nullptr) return Error::Failure(endpoint.when->origin + ": jq is not available");
      auto program = compiler->Compile(endpoint.when->program, endpoint.when->origin);
      if (!program) return program.error();
      lane.when = *std::move(program);
    }
    lanes.push_back(std::move(lane));
  }
  return Router(std::move(lanes));
}

RouteResult Router::Route(const Event& event, access::KnownRequest& known) {
  RouteResult result;
  LazyJson json(event);
  for (Lane& lane : lanes_) {
    if (!lane.Wants(event)) continue;
    std::optional<std::string> failed;
    if (lane.when) {
      const auto first = lane.when->First(json.Text());
      if (first && !jq::IsTruthy(*first)) continue;
      if (!first) failed = first.error().message;
    }
    if (lane.legacy) {
      const std::string state = LegacyState(event);
      const auto [told, fresh] = known.legacy_states.try_emplace(lane.name, state);
      if (!fresh && told->second == state) continue;
      told->second = state;
    }
    if (failed) {
      result.unfiltered.emplace(lane.name, *std::move(failed));
    } else {
      result.endpoints.push_back(lane.name);
    }
  }
  return result;
}

bool StatesAllow(const std::vector<std::string>& request_states, const Event& event) {
  if (Names(request_states, "*")) return true;
  // Both say that the request is gone; who names one of them means the removal, not its cause.
  if (access::IsGone(event.type)) return Names(request_states, "Deleted") || Names(request_states, "Expired");
  const std::string_view word = StateWord(event.request.state);
  return !word.empty() && Names(request_states, word);
}

}  // namespace tw::webhook
