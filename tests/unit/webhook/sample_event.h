// Events for the tests of this room.
#pragma once

#include <string>

#include "access/event.h"
#include "access/event_json.h"

namespace tw::webhook {

inline access::Event SampleEvent(access::EventType type = access::EventType::kCreated,
                                 access::RequestState state = access::RequestState::kPending) {
  access::Event event;
  event.type = type;
  event.id = "evt_0123456789abcdef0123456789abcdef";
  event.timestamp = SystemTime(std::chrono::milliseconds(1'614'265'331'250));
  event.cluster = "example.com";
  event.seq = 3;
  event.request.id = "01890a5d-ac96-774b-bcce-b302099a8057";
  event.request.user = "alice";
  event.request.roles = {"editor", "access"};
  event.request.state = state;
  event.request.reason = "rotate keys";
  event.request.created = SystemTime(std::chrono::seconds(1'614'265'330));
  return event;
}

inline std::string SampleJson() {
  return access::EventToJson(SampleEvent());
}

}  // namespace tw::webhook
