// `check --show-config`: the merged configuration.
#pragma once

#include "base/result.h"
#include "cli/invocation.h"
#include "config/load.h"

namespace tw::cli {

Status ReportConfig(Invocation& invocation, const config::LoadResult& result);

}  // namespace tw::cli
