// Small files whose content may be secret: keys, certificates, identity files.
#pragma once

#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace tw {

// The whole of a regular file of at most 1 MiB that is not empty. Never waits: a pipe is refused. Errors
// (kCredentials, retryable, since files are renewed): the path and what is wrong with it.
Result<Secret> ReadFile(const std::string& path);

}  // namespace tw
