// The verbs; each returns the exit code.
#pragma once

#include "cli/parse.h"

namespace tw::sandbox {

int RunStart(const CommandLine& line);
int RunReceive(const CommandLine& line);
int RunClient(const CommandLine& line);  // everything that talks to a running sandbox

// Prints the error to stderr and gives its exit code.
int Fail(const Error& error);

}  // namespace tw::sandbox
