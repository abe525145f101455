// A Store in memory, for tests: same behaviour as the durable one, proven by the same contract suite; what it
// holds ends with the object.
#pragma once

#include <memory>

#include "store/store.h"

namespace tw::store {

std::unique_ptr<Store> MakeMemoryStore();

}  // namespace tw::store
