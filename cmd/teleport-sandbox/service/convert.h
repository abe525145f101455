// Between the model and Teleport's messages. Value fields and embedded messages are written even when empty,
// as the Go side does (reference page section 2.0). Pure, any thread. For the service only: names protobuf
// types.
#pragma once

#include <string>

#include "model/book.h"
#include "model/plugin_data.h"
#include "model/release.h"
#include "wire/authservice.pb.h"

namespace tw::sandbox {

void ToWire(const Request& request, Release release, types::AccessRequestV3& out);
void ToWire(const PluginData& data, Release release, types::PluginDataV3& out);
void ToWire(const Rights& rights, types::RoleV6& out);

// Events, serialised.
std::string InitEvent(Release release, const proto::Watch& accepted);
std::string PutEvent(const Request& request, Release release);
std::string DeleteEvent(const std::string& id);
// A PUT of a resource kind that no client of today knows (member 1000 of the oneof).
std::string UnknownEvent();

// Year 1 and absent mean "not set".
std::optional<SystemTime> FromWire(const google::protobuf::Timestamp& time);
Annotations FromWire(const wrappers::LabelValues& labels);
NewRequest FromWire(const types::AccessRequestV3& request);
StateChange FromWire(const proto::RequestStateSetter& setter);
ReviewSubmission FromWire(const types::AccessReviewSubmission& submission);
ListQuery FromWire(const types::AccessRequestFilter& filter);
PluginDataUpdate FromWire(const types::PluginDataUpdateParams& params);

}  // namespace tw::sandbox
