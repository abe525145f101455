#include "service/convert.h"

#include <chrono>

namespace tw::sandbox {
namespace {

constexpr std::int64_t kYearOneSeconds = -62'135'596'800;
constexpr int kUnknownMember = 1000;
constexpr const char* kNamespace = "default";

void SetTime(google::protobuf::Timestamp& out, const std::optional<SystemTime>& time) {
  if (!time) {
    out.set_seconds(kYearOneSeconds);
    return;
  }
  const auto micros = time->time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(micros);
  out.set_seconds(seconds.count());
  out.set_nanos(static_cast<std::int32_t>(std::chrono::nanoseconds(micros - seconds).count()));
}

void SetLabels(const Annotations& annotations, wrappers::LabelValues& out) {
  for (const auto& [key, values] : annotations) {
    wrappers::StringValues& list = (*out.mutable_values())[key];
    for (const std::string& value : values) list.add_values(value);
  }
}

void SetResource(const Resource& resource, types::ResourceID& out) {
  out.set_clustername(resource.cluster);
  out.set_kind(resource.kind);
  out.set_name(resource.name);
  out.set_subresourcename(resource.sub_resource);
}

void SetReview(const Review& review, types::AccessReview& out) {
  out.set_author(review.author);
  out.set_proposedstate(static_cast<types::RequestState>(review.proposed));
  out.set_reason(review.reason);
  SetTime(*out.mutable_created(), review.created);
  out.mutable_annotations();
  for (const std::uint32_t index : review.threshold_indexes) out.add_thresholdindexes(index);
  if (review.assume_start_time) SetTime(*out.mutable_assumestarttime(), review.assume_start_time);
  if (review.access_list) {
    out.mutable_accesslist()->set_name(review.access_list->name);
    out.mutable_accesslist()->set_title(review.access_list->title);
  }
}

void SetThresholdFields(const Request& request, types::AccessRequestSpecV3& spec) {
  for (const Threshold& threshold : request.thresholds) {
    types::AccessReviewThreshold& out = *spec.add_thresholds();
    out.set_name(threshold.name);
    out.set_approve(threshold.approve);
    out.set_deny(threshold.deny);
  }
  for (const auto& [role, sets] : request.role_thresholds) {
    types::ThresholdIndexSets& out = (*spec.mutable_rolethresholdmapping())[role];
    for (const auto& set : sets) {
      types::ThresholdIndexSet& indexes = *out.add_sets();
      for (const std::uint32_t index : set) indexes.add_indexes(index);
    }
  }
}

// Fields that came after release 6, for the releases that have them.
void SetLaterFields(const Request& request, Release release, types::AccessRequestSpecV3& spec) {
  if (HasResources(release)) {
    for (const Resource& resource : request.resources)
      SetResource(resource, *spec.add_requestedresourceids());
    spec.set_loginhint(request.login_hint);
    spec.set_dryrun(request.dry_run);
  }
  if (HasMaxDuration(release)) {
    SetTime(*spec.mutable_maxduration(), request.max_duration);
    SetTime(*spec.mutable_sessionttl(), request.session_ttl);
  }
  if (request.access_list) {
    spec.mutable_accesslist()->set_name(request.access_list->name);
    spec.mutable_accesslist()->set_title(request.access_list->title);
  }
  if (request.assume_start_time) SetTime(*spec.mutable_assumestarttime(), request.assume_start_time);
  if (HasResourceExpiry(release)) {
    SetTime(*spec.mutable_resourceexpiry(), request.expires);
    spec.set_requestkind(static_cast<types::AccessRequestKind>(request.kind));
  }
}

}  // namespace

void ToWire(const Request& request, Release release, types::AccessRequestV3& out) {
  out.set_kind("access_request");
  out.set_version("v3");
  types::Metadata& metadata = *out.mutable_metadata();
  metadata.set_name(request.id);
  metadata.set_namespace_(kNamespace);
  metadata.set_id(request.metadata_id);
  metadata.set_revision(request.revision);
  if (!HasResourceExpiry(release)) SetTime(*metadata.mutable_expires(), request.expires);
  types::AccessRequestSpecV3& spec = *out.mutable_spec();
  spec.set_user(request.user);
  for (const std::string& role : request.roles) spec.add_roles(role);
  spec.set_state(static_cast<types::RequestState>(request.state));
  SetTime(*spec.mutable_created(), request.created);
  SetTime(*spec.mutable_expires(), request.access_expires);
  spec.set_requestreason(request.request_reason);
  spec.set_resolvereason(request.resolve_reason);
  SetLabels(request.resolve_annotations, *spec.mutable_resolveannotations());
  SetLabels(request.system_annotations, *spec.mutable_systemannotations());
  SetThresholdFields(request, spec);
  for (const Review& review : request.reviews) SetReview(review, *spec.add_reviews());
  for (const std::string& reviewer : request.suggested_reviewers) spec.add_suggestedreviewers(reviewer);
  SetLaterFields(request, release, spec);
}

void ToWire(const PluginData& data, Release release, types::PluginDataV3& out) {
  out.set_kind("plugin_data");
  out.set_subkind("access_request");
  out.set_version("v3");
  types::Metadata& metadata = *out.mutable_metadata();
  metadata.set_name(data.request);
  metadata.set_namespace_(kNamespace);
  SetTime(*metadata.mutable_expires(), data.expires);
  if (HasMetadataId(release)) metadata.set_id(data.metadata_id);
  for (const auto& [plugin, entry] : data.entries) {
    auto& fields = *(*out.mutable_spec()->mutable_entries())[plugin].mutable_data();
    for (const auto& [key, value] : entry) fields[key] = value;
  }
}

void ToWire(const Rights& rights, types::RoleV6& out) {
  out.set_kind("role");
  out.set_version("v5");
  out.mutable_metadata()->set_name(rights.role);
  out.mutable_metadata()->set_namespace_(kNamespace);
  types::RoleSpecV6& spec = *out.mutable_spec();
  spec.mutable_options();
  types::RoleConditions& allow = *spec.mutable_allow();
  types::RoleConditions& deny = *spec.mutable_deny();
  const auto add_rule = [](types::RoleConditions& conditions, const char* resource,
                           const std::set<std::string>& verbs) {
    if (verbs.empty()) return;
    types::Rule& rule = *conditions.add_rules();
    rule.add_resources(resource);
    for (const std::string& verb : verbs) rule.add_verbs(verb);
  };
  add_rule(allow, "access_request", rights.verbs);
  add_rule(allow, "access_plugin_data", rights.plugin_data);
  add_rule(deny, "access_request", rights.denied);
  for (const std::string& role : rights.requestable) allow.mutable_request()->add_roles(role);
  for (const std::string& role : rights.review_roles) allow.mutable_reviewrequests()->add_roles(role);
}

std::string InitEvent(Release release, const proto::Watch& accepted) {
  if (!InitCarriesStatus(release)) return {};
  proto::Event event;
  types::WatchStatusV1& status = *event.mutable_watchstatus();
  status.set_kind("watch_status");
  status.set_version("v1");
  status.mutable_metadata()->set_name("watch-status");
  status.mutable_metadata()->set_namespace_(kNamespace);
  *status.mutable_spec()->mutable_kinds() = accepted.kinds();
  return event.SerializeAsString();
}

std::string PutEvent(const Request& request, Release release) {
  proto::Event event;
  event.set_type(proto::PUT);
  ToWire(request, release, *event.mutable_accessrequest());
  return event.SerializeAsString();
}

std::string DeleteEvent(const std::string& id) {
  proto::Event event;
  event.set_type(proto::DELETE);
  types::ResourceHeader& header = *event.mutable_resourceheader();
  header.set_kind("access_request");
  header.set_version("v3");
  header.mutable_metadata()->set_name(id);
  header.mutable_metadata()->set_namespace_(kNamespace);
  return event.SerializeAsString();
}

std::string UnknownEvent() {
  proto::Event event;
  event.set_type(proto::PUT);
  event.GetReflection()->MutableUnknownFields(&event)->AddLengthDelimited(kUnknownMember, "\x0a\x01x");
  return event.SerializeAsString();
}

std::optional<SystemTime> FromWire(const google::protobuf::Timestamp& time) {
  if (time.seconds() <= kYearOneSeconds) return std::nullopt;
  return SystemTime(std::chrono::seconds(time.seconds()) + std::chrono::microseconds(time.nanos() / 1000));
}

Annotations FromWire(const wrappers::LabelValues& labels) {
  Annotations annotations;
  for (const auto& [key, list] : labels.values()) {
    annotations[key] = {list.values().begin(), list.values().end()};
  }
  return annotations;
}

NewRequest FromWire(const types::AccessRequestV3& request) {
  const types::AccessRequestSpecV3& spec = request.spec();
  NewRequest wanted;
  wanted.id = request.metadata().name();
  wanted.user = spec.user();
  wanted.roles = {spec.roles().begin(), spec.roles().end()};
  wanted.reason = spec.requestreason();
  wanted.suggested_reviewers = {spec.suggestedreviewers().begin(), spec.suggestedreviewers().end()};
  wanted.state = static_cast<State>(spec.state());
  wanted.login_hint = spec.loginhint();
  wanted.dry_run = spec.dryrun();
  wanted.kind = spec.requestkind();
  for (const types::ResourceID& id : spec.requestedresourceids()) {
    wanted.resources.push_back({id.clustername(), id.kind(), id.name(), id.subresourcename()});
  }
  if (spec.has_expires()) wanted.access_expires = FromWire(spec.expires());
  if (spec.has_maxduration()) wanted.max_duration = FromWire(spec.maxduration());
  if (spec.has_sessionttl()) wanted.session_ttl = FromWire(spec.sessionttl());
  if (spec.has_assumestarttime()) wanted.assume_start_time = FromWire(spec.assumestarttime());
  return wanted;
}

StateChange FromWire(const proto::RequestStateSetter& setter) {
  StateChange change;
  change.id = setter.id();
  change.state = static_cast<State>(setter.state());
  change.reason = setter.reason();
  change.delegator = setter.delegator();
  change.annotations = FromWire(setter.annotations());
  change.roles = {setter.roles().begin(), setter.roles().end()};
  if (setter.has_assumestarttime()) change.assume_start_time = FromWire(setter.assumestarttime());
  return change;
}

ReviewSubmission FromWire(const types::AccessReviewSubmission& submission) {
  const types::AccessReview& review = submission.review();
  ReviewSubmission out;
  out.id = submission.requestid();
  out.roles = {review.roles().begin(), review.roles().end()};
  out.has_annotations = !review.annotations().values().empty();
  out.review.author = review.author();
  out.review.proposed = static_cast<State>(review.proposedstate());
  out.review.reason = review.reason();
  if (review.has_created()) out.review.created = FromWire(review.created());
  if (review.has_assumestarttime()) out.review.assume_start_time = FromWire(review.assumestarttime());
  return out;
}

ListQuery FromWire(const types::AccessRequestFilter& filter) {
  ListQuery query;
  query.id = filter.id();
  query.user = filter.user();
  query.state = static_cast<State>(filter.state());
  query.search = {filter.searchkeywords().begin(), filter.searchkeywords().end()};
  query.scope = static_cast<Scope>(filter.scope());
  return query;
}

PluginDataUpdate FromWire(const types::PluginDataUpdateParams& params) {
  return {params.kind(),
          params.resource(),
          params.plugin(),
          {params.set().begin(), params.set().end()},
          {params.expect().begin(), params.expect().end()}};
}

}  // namespace tw::sandbox
