// `check --queue`: what waits, what is held, what was given up.
#pragma once

#include "cli/invocation.h"
#include "config/settings.h"

namespace tw::cli {

int ReportQueue(Invocation& invocation, const config::Settings& settings);

}  // namespace tw::cli
