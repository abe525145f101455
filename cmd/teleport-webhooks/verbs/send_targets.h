// The endpoints that `send` and `check --send-test` post to: those of the configuration, or a single --url.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/secret.h"
#include "cli/invocation.h"
#include "config/settings.h"
#include "webhook/endpoint_plan.h"

namespace tw::cli {

struct SendTargets {
  std::vector<webhook::EndpointPlan> plans;
  config::Settings settings;

  // Null when no endpoint has that name.
  const webhook::EndpointPlan* Find(const std::string& endpoint) const;
};

// The secret in a file that a flag names. Error: kCredentials, unreadable or empty.
Result<Secret> ReadSecretFile(const std::string& path);

// From --url and --secret-file, or from the configuration narrowed by --endpoint. `needs_teleport`:
// [teleport] must be complete.
Result<SendTargets> ReadTargets(const Invocation& invocation, bool needs_teleport);

Result<std::vector<webhook::EndpointPlan>> MakePlans(const config::Settings& settings);

}  // namespace tw::cli
