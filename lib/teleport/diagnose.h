// Diagnose: looks at everything between this machine and a Teleport cluster in turn, and says what is wrong
// and what to do about it. For the verb `check`.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "access/access_api.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/result.h"
#include "base/url.h"
#include "config/settings.h"

namespace tw::teleport {

enum class Severity { kFine, kWarning, kProblem };

struct Finding {
  Severity severity = Severity::kFine;
  std::string what;
  std::string remedy;                        // empty when there is nothing to do
  ErrorKind kind = ErrorKind::kCredentials;  // of a problem: gives the exit code
};

struct DiagnoseOptions {
  bool offline = false;      // files only
  bool will_decide = true;   // callbacks set the state: `update` is needed
  bool will_review = false;  // decisions are reviews instead
  std::chrono::seconds warn_expiry{7 * 24 * 3600};
  // Where the service manager put the unit's credentials; empty: nowhere. They carry an access list, which
  // shows as readable by the group.
  std::string credentials_directory;
};

// In the order of looking; a problem ends what depends on it. Takes no longer than `limits`.
std::vector<Finding> Diagnose(const config::TeleportSettings& settings, const DiagnoseOptions& options,
                              Clock& clock, const access::CallLimits& limits);

// Can a TCP connection be opened? Closes it at once. Errors as a dial's: kUnreachable, kTimeout, kCancelled.
Status Reach(const Address& address, const access::CallLimits& limits);

}  // namespace tw::teleport
