// The settings of a verb: configuration file, environment, --set and flags put together.
#pragma once

#include <functional>
#include <string>

#include "cli/invocation.h"
#include "config/load.h"

namespace tw::wiring {

// What the loader is given for this call. Error: the configuration file cannot be read.
Result<config::LoadInput> GatherInput(const cli::Invocation& invocation, config::Purpose purpose);

// Why the configuration cannot be used. Without a file it also says where one is looked for.
Error ConfigError(const cli::Invocation& invocation, const config::LoadInput& input,
                  const config::LoadResult& result);
// What to do when no configuration file was found; empty when there is one.
std::string FileAdvice(const cli::Invocation& invocation, const config::LoadInput& input);

// Loads; warnings go to standard error, or to `warn`.
using Warn = std::function<void(const std::string&)>;
Result<config::Settings> LoadSettings(const cli::Invocation& invocation, config::Purpose purpose,
                                      config::FileCheck file_check = config::FileCheck::kSecrets,
                                      const Warn& warn = {});

}  // namespace tw::wiring
