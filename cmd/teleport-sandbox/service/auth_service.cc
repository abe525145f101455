#include "service/auth_service.h"

#include <fmt/format.h>
#include <grpc/grpc_security_constants.h>

#include <charconv>
#include <chrono>
#include <thread>

#include "base/text.h"
#include "pki/authority.h"
#include "service/convert.h"

namespace tw::sandbox {
namespace {

constexpr std::size_t kDefaultPage = 1000;
constexpr int kMaxPage = 16000;
// A delayed call looks this often whether its client has given up.
constexpr std::chrono::milliseconds kDelaySlice{20};
constexpr std::size_t kMarksKept = 256;

grpc::Status ToStatus(const Refusal& refusal) {
  return {static_cast<grpc::StatusCode>(refusal.code), refusal.message};
}

std::string Property(const grpc::AuthContext& context, const char* name) {
  const auto values = context.FindPropertyValues(name);
  return values.empty() ? std::string() : std::string(values.front().data(), values.front().size());
}

// Major number of a semantic version; negative: not one.
int MajorOf(std::string_view version) {
  int major = -1;
  const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), major);
  const bool dotted = error == std::errc() && end != version.data() + version.size() && *end == '.';
  return dotted ? major : -1;
}

bool Wait(const grpc::ServerContextBase& context, std::chrono::milliseconds delay) {
  for (auto left = delay; left.count() > 0; left -= kDelaySlice) {
    if (context.IsCancelled()) return false;
    std::this_thread::sleep_for(std::min(left, kDelaySlice));
  }
  return true;
}

}  // namespace

Answer<void> AuthService::CheckClientVersion(const grpc::ServerContextBase& context) const {
  const int server = static_cast<int>(facts_.release);
  const auto sent = context.client_metadata().find("version");
  if (server < 16 || sent == context.client_metadata().end()) return {};
  if (MajorOf({sent->second.data(), sent->second.size()}) < server - 1) {
    return Denied("client version is unsupported");
  }
  return {};
}

Answer<void> AuthService::Admit(grpc::ServerContextBase& context, std::string_view method, Caller& caller,
                                Rights& rights) {
  if (!HasMethod(facts_.release, method)) {
    if (method == "CreateAccessRequest") {
      return Refuse(Code::kUnimplemented,
                    "access requests can only be created by clients of version 14 and newer");
    }
    return Refuse(Code::kUnimplemented,
                  fmt::format("unknown method {} for service proto.AuthService", method));
  }
  if (SendsVersionHeader(facts_.release)) {
    context.AddInitialMetadata("version", std::string(ServerVersion(facts_.release)));
  }
  if (auto ok = CheckClientVersion(context); !ok) return ok;
  const auto auth = context.auth_context();
  caller.user = Property(*auth, GRPC_X509_CN_PROPERTY_NAME);
  if (caller.user.empty()) return Denied("access denied: the client sent no certificate");
  const auto known = users_.Find(caller.user);
  if (!known) return Denied(fmt::format(R"(user "{}" not found)", caller.user));
  rights = *known;
  const SubjectMarks marks = MarksOf(Property(*auth, GRPC_X509_PEM_CERT_PROPERTY_NAME));
  caller.mfa_exempt = marks.impersonated;
  caller.active_requests = marks.active_requests;
  return {};
}

SubjectMarks AuthService::MarksOf(const std::string& certificate) {
  std::lock_guard lock(mutex_);
  if (const auto found = marks_.find(certificate); found != marks_.end()) return found->second;
  if (marks_.size() >= kMarksKept) marks_.clear();
  return marks_[certificate] = ReadSubject(certificate);
}

grpc::Status AuthService::Serve(grpc::ServerContextBase& context, std::string_view method, const Work& work) {
  const auto fault = faults_.TakeCall(method);
  if (fault && !Wait(context, fault->delay)) return grpc::Status::CANCELLED;
  const bool refused_first = fault && fault->code != Code::kOk && !fault->after_effect;
  if (refused_first) return ToStatus({fault->code, fault->message});
  Caller caller;
  Rights rights;
  Answer<void> answer = Admit(context, method, caller, rights);
  if (answer) answer = work(caller, rights);
  if (fault && fault->after_effect) return ToStatus({fault->code, fault->message});
  return answer ? grpc::Status::OK : ToStatus(answer.error());
}

grpc::Status AuthService::Ping(Context* context, const proto::PingRequest*, proto::PingResponse* out) {
  return Serve(*context, "Ping", [&](const Caller&, const Rights&) -> Answer<void> {
    out->set_clustername(facts_.cluster);
    out->set_serverversion(std::string(ServerVersion(facts_.release)));
    proto::Features& features = *out->mutable_serverfeatures();
    // Kubernetes, applications and databases, which every edition has and our messages leave out.
    for (const int number : {1, 2, 3}) {
      features.GetReflection()->MutableUnknownFields(&features)->AddVarint(number, 1);
    }
    if (facts_.release != Release::k6 && KnowsReviewRules(facts_.release)) {
      features.set_advancedaccessworkflows(true);
    }
    out->set_proxypublicaddr(facts_.proxy_address());
    if (AtLeast(facts_.release, 11)) {
      std::string peer = context->peer();
      if (peer.starts_with("ipv4:")) peer.erase(0, 5);
      out->set_remoteaddr(peer);
      out->set_loadallcas(true);
    }
    return {};
  });
}

grpc::Status AuthService::ListAccessRequests(Context* context, const proto::ListAccessRequestsRequest* in,
                                             proto::ListAccessRequestsResponse* out) {
  return Serve(*context, "ListAccessRequests", [&](const Caller& caller, const Rights&) -> Answer<void> {
    if (in->limit() > kMaxPage) return BadArgument(fmt::format("page size of {} is too large", in->limit()));
    ListQuery query = FromWire(in->filter());
    query.limit = in->limit() > 0 ? static_cast<std::size_t>(in->limit()) : kDefaultPage;
    query.sort = static_cast<Sort>(in->sort());
    query.descending = in->descending();
    query.start_key = in->startkey();
    const auto page = book_.List(caller, query);
    if (!page) return Refused(page.error());
    for (const RequestPtr& request : page->requests)
      ToWire(*request, facts_.release, *out->add_accessrequests());
    out->set_nextkey(page->next_key);
    return {};
  });
}

grpc::Status AuthService::GetAccessRequestsV2(Context* context, const types::AccessRequestFilter* in,
                                              grpc::ServerWriter<types::AccessRequestV3>* writer) {
  return Serve(*context, "GetAccessRequestsV2", [&](const Caller& caller, const Rights&) -> Answer<void> {
    const auto page = book_.List(caller, FromWire(*in));
    if (!page) return Refused(page.error());
    for (const RequestPtr& request : page->requests) {
      types::AccessRequestV3 message;
      ToWire(*request, facts_.release, message);
      if (!writer->Write(message)) break;
    }
    return {};
  });
}

grpc::Status AuthService::GetAccessRequests(Context* context, const types::AccessRequestFilter* in,
                                            proto::AccessRequests* out) {
  return Serve(*context, "GetAccessRequests", [&](const Caller& caller, const Rights&) -> Answer<void> {
    const auto page = book_.List(caller, FromWire(*in));
    if (!page) return Refused(page.error());
    for (const RequestPtr& request : page->requests)
      ToWire(*request, facts_.release, *out->add_accessrequests());
    return {};
  });
}

grpc::Status AuthService::CreateAccessRequestV2(Context* context, const types::AccessRequestV3* in,
                                                types::AccessRequestV3* out) {
  return Serve(*context, "CreateAccessRequestV2", [&](const Caller& caller, const Rights&) -> Answer<void> {
    const auto made = book_.Create(caller, FromWire(*in));
    if (!made) return Refused(made.error());
    ToWire(**made, facts_.release, *out);
    return {};
  });
}

grpc::Status AuthService::CreateAccessRequest(Context* context, const types::AccessRequestV3* in, Empty*) {
  return Serve(*context, "CreateAccessRequest", [&](const Caller& caller, const Rights&) -> Answer<void> {
    const auto made = book_.Create(caller, FromWire(*in));
    if (!made) return Refused(made.error());
    return {};
  });
}

grpc::Status AuthService::DeleteAccessRequest(Context* context, const proto::RequestID* in, Empty*) {
  return Serve(*context, "DeleteAccessRequest",
               [&](const Caller& caller, const Rights&) { return book_.Delete(caller, in->id()); });
}

grpc::Status AuthService::SetAccessRequestState(Context* context, const proto::RequestStateSetter* in,
                                                Empty*) {
  return Serve(*context, "SetAccessRequestState",
               [&](const Caller& caller, const Rights&) { return book_.SetState(caller, FromWire(*in)); });
}

grpc::Status AuthService::SubmitAccessReview(Context* context, const types::AccessReviewSubmission* in,
                                             types::AccessRequestV3* out) {
  return Serve(*context, "SubmitAccessReview", [&](const Caller& caller, const Rights&) -> Answer<void> {
    const auto after = book_.SubmitReview(caller, FromWire(*in));
    if (!after) return Refused(after.error());
    ToWire(**after, facts_.release, *out);
    return {};
  });
}

grpc::Status AuthService::GetAccessCapabilities(Context* context, const types::AccessCapabilitiesRequest* in,
                                                types::AccessCapabilities* out) {
  return Serve(*context, "GetAccessCapabilities",
               [&](const Caller& caller, const Rights& own) -> Answer<void> {
                 if (!in->user().empty() && in->user() != caller.user) return RuleDenied("read", "user");
                 if (in->requestableroles()) {
                   for (const std::string& role : own.requestable) out->add_requestableroles(role);
                 }
                 if (in->suggestedreviewers()) {
                   for (const std::string& reviewer : own.suggested) out->add_suggestedreviewers(reviewer);
                 }
                 return {};
               });
}

grpc::Status AuthService::GetPluginData(Context* context, const types::PluginDataFilter* in,
                                        proto::PluginDataSeq* out) {
  return Serve(*context, "GetPluginData", [&](const Caller& caller, const Rights&) -> Answer<void> {
    const auto found = shelf_.Get(caller, in->kind(), in->resource(), in->plugin());
    if (!found) return Refused(found.error());
    for (const PluginData& data : *found) ToWire(data, facts_.release, *out->add_plugindata());
    return {};
  });
}

grpc::Status AuthService::UpdatePluginData(Context* context, const types::PluginDataUpdateParams* in,
                                           Empty*) {
  return Serve(*context, "UpdatePluginData",
               [&](const Caller& caller, const Rights&) { return shelf_.Update(caller, FromWire(*in)); });
}

grpc::Status AuthService::GetRole(Context* context, const proto::GetRoleRequest* in, types::RoleV6* out) {
  return Serve(*context, "GetRole", [&](const Caller&, const Rights& own) -> Answer<void> {
    if (in->name() != own.role) return RuleDenied("read", "role");
    ToWire(own, *out);
    return {};
  });
}

grpc::Status AuthService::GetCurrentUser(Context* context, const Empty*, types::UserV2* out) {
  return Serve(*context, "GetCurrentUser", [&](const Caller& caller, const Rights& own) -> Answer<void> {
    out->set_kind("user");
    out->set_version("v2");
    out->mutable_metadata()->set_name(caller.user);
    out->mutable_metadata()->set_namespace_("default");
    out->mutable_spec()->add_roles(own.role);
    out->mutable_spec()->mutable_traits();
    return {};
  });
}

grpc::Status AuthService::GetCurrentUserRoles(Context* context, const Empty*,
                                              grpc::ServerWriter<types::RoleV6>* writer) {
  return Serve(*context, "GetCurrentUserRoles", [&](const Caller&, const Rights& own) -> Answer<void> {
    types::RoleV6 role;
    ToWire(own, role);
    writer->Write(role);
    return {};
  });
}

Answer<void> AuthService::ChooseKinds(const proto::Watch& watch, const Caller& caller, const Rights& rights,
                                      proto::Watch& accepted, std::vector<WatchFilter>& filters) const {
  if (watch.kinds().empty()) return Denied("can't setup global watch");
  const bool partial = watch.allowpartialsuccess() && AtLeast(facts_.release, 13);
  for (const types::WatchKind& kind : watch.kinds()) {
    const auto filter = ParseWatchFilter({kind.filter().begin(), kind.filter().end()});
    if (kind.kind() == "access_request" && !filter) return Refused(filter.error());
    const bool own = kind.kind() == "access_request" && filter->user == caller.user;
    const bool allowed = kind.kind() == "access_request" && (own || rights.Allows("read"));
    if (!allowed) {
      if (partial) continue;
      return RuleDenied("read", kind.kind());
    }
    if (!kind.name().empty()) return BadArgument("access requests cannot be watched by name");
    filters.push_back(*filter);
    *accepted.add_kinds() = kind;
  }
  if (filters.empty()) return BadArgument("none of the requested kinds can be watched");
  return {};
}

WatchHub::Reactor* AuthService::WatchEvents(grpc::CallbackServerContext* context,
                                            const grpc::ByteBuffer* in) {
  proto::Watch watch;
  grpc::ByteBuffer bytes(*in);
  if (!grpc::SerializationTraits<proto::Watch>::Deserialize(&bytes, &watch).ok()) {
    return WatchHub::Refuse({Code::kInternal, "the watch could not be parsed"});
  }
  proto::Watch accepted;
  std::vector<WatchFilter> filters;
  const grpc::Status status = Serve(*context, "WatchEvents", [&](const Caller& caller, const Rights& rights) {
    return ChooseKinds(watch, caller, rights, accepted, filters);
  });
  if (!status.ok()) return WatchHub::Refuse({static_cast<Code>(status.error_code()), status.error_message()});
  return hub_.Open(std::move(filters), accepted);
}

}  // namespace tw::sandbox
