// Teleport's messages as this program's values, and back. Pure, any thread. Internal to lib/teleport (and its
// tests). Rules for what is on the wire: reference page sections 2.0, 2.4, 2.5 and 9.1.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <optional>
#include <string>

#include "access/access_api.h"
#include "wire/authservice.pb.h"

namespace tw::teleport {

// Nullopt for year-1 times (Teleport's "not set") and for anything outside years 1 to 9999.
std::optional<SystemTime> DecodeTime(const google::protobuf::Timestamp& time);
void EncodeTime(SystemTime time, google::protobuf::Timestamp& out);

access::AccessRequest DecodeRequest(const types::AccessRequestV3& message);

// Nullopt for what a reader passes over: kinds of event, of resource or members of the oneof that are not
// ours.
std::optional<access::StreamChange> DecodeEvent(const proto::Event& event);

// Does the first event of a stream refuse the kind we asked for? Servers before 13 say nothing of kinds.
bool RefusesOurKind(const proto::Event& init);

types::RequestState EncodeState(access::RequestState state);
proto::RequestStateSetter EncodeStateChange(const access::StateChange& change);
types::AccessReviewSubmission EncodeReview(const access::ReviewSubmission& review);

inline constexpr char kAccessRequestKind[] = "access_request";
// Longer reasons are refused by Teleport 10 and newer (section 2.4).
inline constexpr std::size_t kMaxReasonBytes = 4096;

}  // namespace tw::teleport
