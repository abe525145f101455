// `check --signature FILE`: why does a captured request not verify? Names the cause and the remedy.
#pragma once

#include "cli/invocation.h"

namespace tw::cli {

int ReportSignature(Invocation& invocation);

}  // namespace tw::cli
