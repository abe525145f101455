// The load tools, by name.
#pragma once

#include <string>
#include <vector>

namespace load {

using Arguments = std::vector<std::string>;

int Burst(const Arguments& arguments);      // SOCKET PORT COUNT
int OneByOne(const Arguments& arguments);   // SOCKET PORT COUNT
int Callbacks(const Arguments& arguments);  // PORT CA_FILE|- THREADS AUTH IDS_FILE [fresh]
int Slow(const Arguments& arguments);       // PORT CA_FILE|- COUNT
int Spawn(const Arguments& arguments);      // RUNS COMMAND...

}  // namespace load
