// DeliverySide: store, router and deliverer put together from settings; the half of the daemon that sends.
#pragma once

#include <memory>
#include <vector>

#include "base/random.h"
#include "config/settings.h"
#include "daemon/intake.h"
#include "jq/jq_program.h"
#include "store/store.h"
#include "webhook/deliverer.h"

namespace tw::daemon {

// What is made from the endpoints of a configuration before any of it is put in force.
struct DeliveryParts {
  std::vector<webhook::EndpointPlan> plans;
  webhook::Router router;
};

// Compiles programs and parses keys. Error: kConfig naming the key.
Result<DeliveryParts> MakeDeliveryParts(const config::Settings& settings);

class DeliverySide {
 public:
  // The references must outlive it.
  static Result<std::unique_ptr<DeliverySide>> Make(store::Store& store, DeliveryParts parts, Clock& clock,
                                                    Random& random, Logger& log,
                                                    webhook::DeliveryObserver& observer,
                                                    Intake::OnCommitted committed);

  // Puts new endpoints in force while running.
  Status Replace(DeliveryParts parts);
  Intake& intake() { return *intake_; }
  webhook::Deliverer& deliverer() { return *deliverer_; }

 private:
  DeliverySide() = default;
  std::unique_ptr<webhook::Deliverer> deliverer_;
  std::unique_ptr<Intake> intake_;
};

}  // namespace tw::daemon
