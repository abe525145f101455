#include "teleport/decode.h"

#include <algorithm>
#include <chrono>

#include "base/text.h"

namespace tw::teleport {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr std::int64_t kYearOne = -62'135'596'800;  // 0001-01-01, Go's zero time
constexpr std::int64_t kYearTenThousand = 253'402'300'800;
// A real time of the first day of year 1 cannot occur; zones may have moved a zero time by some hours.
constexpr std::int64_t kDay = 86'400;

template <class Message, class Has, class Get>
std::optional<SystemTime> OptionalTime(const Message& message, Has has, Get get) {
  if (!(message.*has)()) return std::nullopt;
  return DecodeTime((message.*get)());
}

// What a user typed need not be UTF-8; everything behind this point may rely on it.
std::string Text(const std::string& bytes) {
  return IsUtf8(bytes) ? bytes : ToValidUtf8(bytes);
}

template <class Strings>
std::vector<std::string> List(const Strings& strings) {
  std::vector<std::string> out;
  out.reserve(static_cast<std::size_t>(strings.size()));
  for (const std::string& one : strings) out.push_back(Text(one));
  return out;
}

access::Annotations DecodeLabels(const wrappers::LabelValues& labels) {
  access::Annotations out;
  for (const auto& [key, values] : labels.values()) out[key] = List(values.values());
  return out;
}

void EncodeLabels(const access::Annotations& annotations, wrappers::LabelValues& out) {
  for (const auto& [key, values] : annotations) {
    wrappers::StringValues& list = (*out.mutable_values())[key];
    for (const std::string& value : values) list.add_values(ToValidUtf8(value));
  }
}

access::ResourceId DecodeResource(const types::ResourceID& id) {
  return {Text(id.clustername()), Text(id.kind()), Text(id.name()), Text(id.subresourcename())};
}

// The server stands this in for requests that only newer clients understand: kind node, and one text for both
// the cluster and the name (section 2.4).
bool IsSentinel(const types::ResourceID& id) {
  return id.kind() == "node" && id.clustername() == id.name() && !id.name().empty();
}

std::vector<access::ResourceId> DecodeResources(const types::AccessRequestSpecV3& spec) {
  std::vector<access::ResourceId> out;
  for (const types::ResourceAccessID& one : spec.requestedresourceaccessids())
    out.push_back(DecodeResource(one.id()));
  if (!out.empty()) return out;
  for (const types::ResourceID& id : spec.requestedresourceids()) {
    if (!IsSentinel(id)) out.push_back(DecodeResource(id));
  }
  return out;
}

access::RequestState DecodeState(types::RequestState state) {
  return static_cast<access::RequestState>(state);
}

access::Review DecodeReview(const types::AccessReview& review) {
  using R = types::AccessReview;
  access::Review out;
  out.author = Text(review.author());
  out.state = DecodeState(review.proposedstate());
  out.reason = Text(review.reason());
  out.roles = List(review.roles());
  out.created = OptionalTime(review, &R::has_created, &R::created);
  out.assume_start_time = OptionalTime(review, &R::has_assumestarttime, &R::assumestarttime);
  out.annotations = DecodeLabels(review.annotations());
  return out;
}

void DecodeTimes(const types::AccessRequestV3& message, access::AccessRequest& out) {
  using S = types::AccessRequestSpecV3;
  const S& spec = message.spec();
  out.created = OptionalTime(spec, &S::has_created, &S::created);
  out.access_expires = OptionalTime(spec, &S::has_expires, &S::expires);
  out.max_duration = OptionalTime(spec, &S::has_maxduration, &S::maxduration);
  out.session_ttl = OptionalTime(spec, &S::has_sessionttl, &S::sessionttl);
  out.assume_start_time = OptionalTime(spec, &S::has_assumestarttime, &S::assumestarttime);
  out.expires = OptionalTime(spec, &S::has_resourceexpiry, &S::resourceexpiry);
  if (!out.expires)
    out.expires = OptionalTime(message.metadata(), &types::Metadata::has_expires, &types::Metadata::expires);
}

void DecodeSpec(const types::AccessRequestSpecV3& spec, access::AccessRequest& out) {
  out.user = Text(spec.user());
  out.roles = List(spec.roles());
  out.state = DecodeState(spec.state());
  out.reason = Text(spec.requestreason());
  out.resolve_reason = Text(spec.resolvereason());
  out.resources = DecodeResources(spec);
  out.suggested_reviewers = List(spec.suggestedreviewers());
  for (const types::AccessReview& review : spec.reviews()) out.reviews.push_back(DecodeReview(review));
  for (const types::AccessReviewThreshold& t : spec.thresholds()) {
    out.thresholds.push_back({Text(t.name()), t.approve(), t.deny(), Text(t.filter())});
  }
  out.system_annotations = DecodeLabels(spec.systemannotations());
  out.resolve_annotations = DecodeLabels(spec.resolveannotations());
  out.login_hint = Text(spec.loginhint());
  if (spec.has_accesslist())
    out.access_list = {Text(spec.accesslist().name()), Text(spec.accesslist().title())};
  out.kind = spec.requestkind();
  out.dry_run = spec.dryrun();
}

std::string CutReason(const std::string& reason) {
  const std::string valid = ToValidUtf8(reason);
  return std::string(CutUtf8(valid, kMaxReasonBytes));
}

}  // namespace

std::optional<SystemTime> DecodeTime(const google::protobuf::Timestamp& time) {
  if (time.seconds() < kYearOne + kDay || time.seconds() >= kYearTenThousand) return std::nullopt;
  // Parts of a second outside their range would carry the time over its own limits.
  constexpr std::int32_t kMostNanos = 999'999'999;
  return SystemTime(seconds(time.seconds()) + microseconds(std::clamp(time.nanos(), 0, kMostNanos) / 1000));
}

void EncodeTime(SystemTime time, google::protobuf::Timestamp& out) {
  const auto whole = std::chrono::floor<seconds>(time);
  out.set_seconds(whole.time_since_epoch().count());
  out.set_nanos(static_cast<std::int32_t>((time - whole).count() * 1000));
}

access::AccessRequest DecodeRequest(const types::AccessRequestV3& message) {
  access::AccessRequest out;
  out.id = Text(message.metadata().name());
  out.revision = Text(message.metadata().revision());
  out.metadata_id = message.metadata().id();
  DecodeSpec(message.spec(), out);
  DecodeTimes(message, out);
  return out;
}

std::optional<access::StreamChange> DecodeEvent(const proto::Event& event) {
  switch (event.type()) {
    case proto::INIT:
      return access::StreamChange{access::ChangeKind::kInit, {}};
    case proto::PUT: {
      if (!event.has_accessrequest() || event.accessrequest().metadata().name().empty()) return std::nullopt;
      return access::StreamChange{access::ChangeKind::kPut, DecodeRequest(event.accessrequest())};
    }
    case proto::DELETE: {
      const types::ResourceHeader& header = event.resourceheader();
      if (header.kind() != kAccessRequestKind || header.metadata().name().empty()) return std::nullopt;
      access::StreamChange change{access::ChangeKind::kDelete, {}};
      change.request.id = Text(header.metadata().name());
      return change;
    }
    default:
      return std::nullopt;  // an operation from the future
  }
}

bool RefusesOurKind(const proto::Event& init) {
  const auto& kinds = init.watchstatus().spec().kinds();
  if (!init.has_watchstatus() || kinds.empty()) return false;
  return std::none_of(kinds.begin(), kinds.end(),
                      [](const types::WatchKind& kind) { return kind.kind() == kAccessRequestKind; });
}

types::RequestState EncodeState(access::RequestState state) {
  return static_cast<types::RequestState>(static_cast<std::int32_t>(state));
}

proto::RequestStateSetter EncodeStateChange(const access::StateChange& change) {
  proto::RequestStateSetter out;
  out.set_id(change.id);
  out.set_state(EncodeState(change.state));
  out.set_delegator(ToValidUtf8(change.delegator));
  out.set_reason(CutReason(change.reason));
  for (const std::string& role : change.roles) out.add_roles(ToValidUtf8(role));
  EncodeLabels(change.annotations, *out.mutable_annotations());  // always sent, as the Go clients do
  if (change.assume_start_time) EncodeTime(*change.assume_start_time, *out.mutable_assumestarttime());
  return out;
}

types::AccessReviewSubmission EncodeReview(const access::ReviewSubmission& review) {
  types::AccessReviewSubmission out;
  out.set_requestid(review.id);
  types::AccessReview& body = *out.mutable_review();
  // The author is left to the server, which takes the caller; so is the time (section 4.2).
  body.set_proposedstate(EncodeState(review.state));
  body.set_reason(CutReason(review.reason));
  if (review.assume_start_time) EncodeTime(*review.assume_start_time, *body.mutable_assumestarttime());
  return out;
}

}  // namespace tw::teleport
