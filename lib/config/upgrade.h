// `configure --from`: an old configuration file made into one of today, with its comments and order kept.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/files.h"

namespace tw::config {

struct Upgrade {
  std::string text;                // holds the secrets of the old file
  std::string shown;               // the same with *** for them, which no longer is TOML
  std::vector<std::string> notes;  // what changed and why, "line 3: ..."; never a secret
  std::vector<std::string> todo;   // what only a person can decide, as Load words it
};

// Error (kConfig): the old file is not TOML. A file that is up to date comes back unchanged, without notes.
Result<Upgrade> UpgradeConfig(const SourceText& old);

}  // namespace tw::config
