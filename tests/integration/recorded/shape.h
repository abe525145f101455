// Are two messages of the same shape: the same fields present, the same values wherever these do not depend
// on the place and time of the recording? Embedded messages that are present but empty count as present.
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace tw::recorded {

// Empty when the shapes agree, else where they first differ.
std::string ShapeDifference(const google::protobuf::Message& want, const google::protobuf::Message& got);

}  // namespace tw::recorded
