// Findings about certificates and keys that lie in files.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.h"
#include "callback/tls_files.h"
#include "config/settings.h"
#include "verbs/findings.h"

namespace tw::cli {

// Do key and certificate belong together, and how long is the certificate good for? Warns when that is less
// than `warn_expiry`.
Finding PairReport(const callback::TlsPaths& paths, SystemTime now, std::chrono::milliseconds warn_expiry);

// What deliveries to this endpoint use: its own authorities, and the certificate that shows who we are.
std::vector<Finding> EndpointFilesReport(const config::EndpointSettings& endpoint, SystemTime now,
                                         std::chrono::milliseconds warn_expiry);

}  // namespace tw::cli
