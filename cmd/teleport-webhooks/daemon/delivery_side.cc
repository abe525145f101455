#include "daemon/delivery_side.h"

#include "version.h"

namespace tw::daemon {
namespace {

// One `serve` runs on a state directory, so the name need not be unique; a crashed predecessor's leases are
// ours.
constexpr const char* kOwner = "serve";

bool NeedsPrograms(const config::Settings& settings) {
  for (const config::EndpointSettings& endpoint : settings.endpoints) {
    if (endpoint.when || endpoint.transform) return true;
  }
  return false;
}

}  // namespace

Result<DeliveryParts> MakeDeliveryParts(const config::Settings& settings) {
  std::shared_ptr<jq::Compiler> compiler;
  if (NeedsPrograms(settings)) {
    auto loaded = jq::LoadCompiler();
    if (!loaded) return loaded.error();
    compiler = std::move(*loaded);
  }
  std::vector<webhook::EndpointPlan> plans;
  for (const config::EndpointSettings& endpoint : settings.endpoints) {
    auto plan = webhook::EndpointPlan::Make(endpoint, {settings.notify_only, settings.http.public_addr},
                                            "teleport-webhooks/" TW_VERSION, compiler.get());
    if (!plan) return plan.error();
    plans.push_back(std::move(*plan));
  }
  auto router = webhook::Router::Create(settings.endpoints, compiler.get());
  if (!router) return router.error();
  return DeliveryParts{std::move(plans), std::move(*router)};
}

Result<std::unique_ptr<DeliverySide>> DeliverySide::Make(store::Store& store, DeliveryParts parts,
                                                         Clock& clock, Random& random, Logger& log,
                                                         webhook::DeliveryObserver& observer,
                                                         Intake::OnCommitted committed) {
  auto transport = webhook::LoadHttpTransport();
  if (!transport) return transport.error();
  if (const Status released = store.ReleaseLeases(kOwner); !released) return released.error();
  std::unique_ptr<DeliverySide> side(new DeliverySide());
  side->deliverer_ = std::make_unique<webhook::Deliverer>(store, std::move(*transport), clock, random, log,
                                                          observer, kOwner);
  if (const Status set = side->deliverer_->SetEndpoints(std::move(parts.plans)); !set) return set.error();
  side->intake_ =
      std::make_unique<Intake>(store, *side->deliverer_, log, std::move(parts.router), std::move(committed));
  return side;
}

Status DeliverySide::Replace(DeliveryParts parts) {
  if (const Status set = deliverer_->SetEndpoints(std::move(parts.plans)); !set) return set;
  intake_->SetRouter(std::move(parts.router));
  return {};
}

}  // namespace tw::daemon
