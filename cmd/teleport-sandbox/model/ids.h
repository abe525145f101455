// Identifiers in the forms that Teleport uses. Pure but for the generator passed in.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"

namespace tw::sandbox {

std::string MakeUuid4(Random& random);                  // RFC 9562 section 5.4
std::string MakeUuid7(Random& random, SystemTime now);  // RFC 9562 section 5.7: sorts by time of making

}  // namespace tw::sandbox
