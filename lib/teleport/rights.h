// What a set of roles allows on access requests (reference page sections 2.12 and 6.1). Pure; internal to
// lib/teleport.
#pragma once

#include <vector>

#include "access/access_api.h"
#include "wire/types.pb.h"

namespace tw::teleport {

// Rules with a `where` count against us but not for us: they may hold for some requests only, and nobody must
// take a partial list for a whole one.
access::OwnRights RightsOf(const std::vector<types::RoleV6>& roles);

}  // namespace tw::teleport
