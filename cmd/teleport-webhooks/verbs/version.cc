#include "version.h"

#include <string>

#include "verbs/verbs.h"

namespace tw::cli {

int RunVersion(Invocation& invocation) {
  const bool json = invocation.format() != Format::kText;
  const std::string line = json ? "{\"version\":\"" TW_VERSION "\"}" : "teleport-webhooks " TW_VERSION;
  const Status written = invocation.out().Line(line);
  return written || invocation.out().closed() ? 0 : invocation.Fail(written.error());
}

}  // namespace tw::cli
