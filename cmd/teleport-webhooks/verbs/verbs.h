// The verbs: one file each. They return the exit code (product.md section 6).
#pragma once

#include "cli/invocation.h"

namespace tw::cli {

int RunConfigure(Invocation& invocation);
int RunCheck(Invocation& invocation);
int RunWatch(Invocation& invocation);
int RunSend(Invocation& invocation);
int RunServe(Invocation& invocation);
int RunApprove(Invocation& invocation);
int RunDeny(Invocation& invocation);
int RunVersion(Invocation& invocation);
int RunCompletion(Invocation& invocation);

}  // namespace tw::cli
