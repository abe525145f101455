// Lane: the deliverer's view of one endpoint. The sending thread's own.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "webhook/endpoint_health.h"
#include "webhook/endpoint_plan.h"

namespace tw::webhook {

// How many deliveries of one endpoint are in memory at most.
inline constexpr std::size_t kWindow = 1024;

struct Lane {
  Lane(EndpointPlan endpoint_plan, EndpointHealth endpoint_health)
      : plan(std::move(endpoint_plan)), health(std::move(endpoint_health)) {}

  const std::string& name() const { return plan.settings().name; }
  // How many deliveries may be in memory: few where each may take long, so that their leases do not run out.
  std::size_t Window() const;
  // Should the clerk look for more now, and for how many? 0: no.
  std::size_t Wanting(SystemTime now) const;
  // How many a commit may hand over directly: none while older ones may wait in the store.
  std::size_t Room(SystemTime now) const;

  EndpointPlan plan;
  EndpointHealth health;
  std::deque<store::Delivery> ready;  // leased, waiting for their turn
  int under_way = 0;
  bool wished = false;                 // the clerk is looking
  bool more = true;                    // something due may wait in the store
  std::optional<SystemTime> next_due;  // when something in the store falls due
  SteadyTime last_reread{};
  bool unsaved = false;  // an answer came that the stored state does not show
  SteadyTime last_saved{};
};

}  // namespace tw::webhook
