// What must be true in a cluster before a recorded call is made again, read from the recording itself.
#pragma once

#include <string>
#include <vector>

#include "recordings.h"
#include "sandbox.h"

namespace tw::recorded {

// Puts the requests in place that the call and its recorded answer speak of.
void SetScene(sandbox::Sandbox& sandbox, const RecordedCall& call);

// Makes happen what one recorded event tells of. `pending_life_of_last`: the request is left to expire.
void Enact(sandbox::Sandbox& sandbox, const proto::Event& event, bool expires);

// Requests whose removal was recorded without their making.
void PrepareRemovals(sandbox::Sandbox& sandbox, const std::vector<std::string>& events);

}  // namespace tw::recorded
