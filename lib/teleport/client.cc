#include "teleport/client.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <functional>

#include "base/text.h"
#include "teleport/connector.h"
#include "teleport/decode.h"
#include "teleport/event_stream.h"
#include "teleport/lister.h"
#include "teleport/rights.h"

namespace tw::teleport {
namespace {

using access::CallLimits;
using access::RequestState;

constexpr int kOldestServer = 6;

Status CheckVersion(const std::string& version) {
  int major = 0;
  const auto parsed = std::from_chars(version.data(), version.data() + version.size(), major);
  if (parsed.ec != std::errc() || major >= kOldestServer)
    return {};  // an odd version text is no reason to stop
  return Error{ErrorKind::kUnreachable,
               fmt::format("Teleport {} is too old: 6.0 or newer is needed", EscapeControls(version)),
               "update the cluster", false};
}

Status CheckDecision(const std::string& id, RequestState state) {
  if (id.empty()) return Error::Usage("no access request id given");
  if (state != RequestState::kApproved && state != RequestState::kDenied) {
    return Error::Usage("a decision is either approved or denied");
  }
  return {};
}

class Client final : public TeleportClient {
 public:
  Client(const config::TeleportSettings& settings, Credentials credentials, Clock& clock, Logger& log,
         const Keepalive& keepalive)
      : connector_(settings, std::move(credentials), clock, log, keepalive) {}

  CredentialState Credential() const override {
    const Credentials own = connector_.CurrentCredentials();
    return {own.user(), own.certificate.not_before, own.certificate.not_after};
  }

  void LookAtCredentials() override { connector_.LookAtCredentials(); }

  Result<access::ClusterInfo> Ping(const CallLimits& limits) override {
    const Bound bound(limits);
    return Reading<Result<access::ClusterInfo>>(
        bound, [&](Connection& connection) -> Result<access::ClusterInfo> {
          CallContext context(bound);
          proto::PingResponse answer;
          const grpc::Status status = connection.stub().Ping(context.get(), proto::PingRequest(), &answer);
          if (!status.ok()) return connection.Explain(Call::kPing, status, bound.stop);
          if (Status fine = CheckVersion(answer.serverversion()); !fine) return fine.error();
          const Credentials& own = connection.credentials();
          const Way& way = connection.way();
          access::ClusterInfo info{answer.clustername(),      answer.serverversion(),
                                   answer.proxypublicaddr(),  own.user(),
                                   own.certificate.not_after, std::string(RouteName(way.route))};
          if (way.route != config::Route::kAuth) info.cluster_name_from = ClusterOrigin(way);
          return info;
        });
  }

  Result<std::unique_ptr<access::EventStream>> Watch(std::stop_token stop) override {
    connector_.FollowCredentials();
    const auto connection = connector_.Get(Bound(Deadline::max(), stop));
    if (!connection) return connection.error();
    return std::unique_ptr<access::EventStream>(
        std::make_unique<GrpcEventStream>(*connection, std::move(stop)));
  }

  Status List(const access::ListFilter& filter, const PageVisitor& page, const CallLimits& limits) override {
    types::AccessRequestFilter wanted;
    wanted.set_user(filter.user);
    wanted.set_state(EncodeState(filter.state));
    return ListRequests(Call::kList, wanted, page, Bound(limits));
  }

  Result<std::optional<access::AccessRequest>> Get(const std::string& id, const CallLimits& limits) override {
    if (id.empty()) return Error::Usage("no access request id given");
    types::AccessRequestFilter wanted;
    wanted.set_id(id);
    std::optional<access::AccessRequest> found;
    const auto take = [&](std::vector<access::AccessRequest> page) -> Status {
      for (access::AccessRequest& request : page) {
        if (request.id != id) {
          return Error::Failure(fmt::format("asked for the access request {}, Teleport answered with {}",
                                            EscapeControls(id), EscapeControls(request.id)));
        }
        found = std::move(request);
      }
      return {};
    };
    if (Status listed = ListRequests(Call::kGet, wanted, take, Bound(limits)); !listed) return listed.error();
    return found;
  }

  Status SetState(const access::StateChange& change, const CallLimits& limits) override {
    if (Status fine = CheckDecision(change.id, change.state); !fine) return fine.error();
    if (!change.roles.empty() && change.state != RequestState::kApproved)
      return Error::Usage("roles can be given only to an approval");
    const Bound bound(limits);
    const auto connection = connector_.Get(bound);
    if (!connection) return connection.error();
    CallContext context(bound);
    google::protobuf::Empty answer;
    const grpc::Status status =
        (*connection)->stub().SetAccessRequestState(context.get(), EncodeStateChange(change), &answer);
    if (!status.ok()) return (*connection)->Explain(Call::kSetState, status, bound.stop);
    return {};
  }

  Result<access::AccessRequest> SubmitReview(const access::ReviewSubmission& review,
                                             const CallLimits& limits) override {
    if (Status fine = CheckDecision(review.id, review.state); !fine) return fine.error();
    const Bound bound(limits);
    const auto connection = connector_.Get(bound);
    if (!connection) return connection.error();
    CallContext context(bound);
    types::AccessRequestV3 answer;
    const grpc::Status status =
        (*connection)->stub().SubmitAccessReview(context.get(), EncodeReview(review), &answer);
    if (!status.ok()) return (*connection)->Explain(Call::kReview, status, bound.stop);
    access::AccessRequest after = DecodeRequest(answer);
    if (after.id == review.id) return after;
    return Error::Failure(fmt::format("reviewed the access request {}, Teleport answered with {}",
                                      EscapeControls(review.id), EscapeControls(after.id)));
  }

  Result<std::optional<access::OwnRights>> Rights(const CallLimits& limits) override {
    const Bound bound(limits);
    return Reading<Result<std::optional<access::OwnRights>>>(
        bound, [&](Connection& connection) { return RightsOver(connection, bound); });
  }

 private:
  // Calls `read`, which changes nothing, with a connection. That the server has given a connection up
  // (GOAWAY: it restarts in order, or wants connections spread anew) shows only by the next call over it.
  // gRPC's own channels repeat that call on a new connection, those over a descriptor do not. `may_repeat` is
  // asked before.
  template <class Answer, class Read>
  Answer Reading(
      const Bound& bound, Read read, const std::function<bool()>& may_repeat = [] { return true; }) {
    for (bool first = true;; first = false) {
      const auto connection = connector_.Get(bound);
      if (!connection) return connection.error();
      Answer answer = read(**connection);
      const bool given_up =
          !answer && answer.error().kind == ErrorKind::kUnreachable && !(*connection)->usable();
      if (!given_up || !first || !may_repeat()) return answer;
    }
  }

  static Result<std::optional<access::OwnRights>> RightsOver(Connection& connection, const Bound& bound) {
    std::vector<types::RoleV6> roles;
    for (const std::string& name : connection.credentials().roles()) {
      proto::GetRoleRequest request;
      request.set_name(name);
      CallContext context(bound);
      types::RoleV6 role;
      const grpc::Status status = connection.stub().GetRole(context.get(), request, &role);
      if (status.error_code() == grpc::NOT_FOUND) continue;  // deleted since: it allows nothing
      if (status.error_code() == grpc::UNIMPLEMENTED) return std::optional<access::OwnRights>();
      // Our own roles may always be read: this one is ours no longer, and what the others allow proves
      // nothing.
      if (status.error_code() == grpc::PERMISSION_DENIED) return std::optional(access::OwnRights());
      if (!status.ok()) return connection.Explain(Call::kGetRole, status, bound.stop);
      roles.push_back(std::move(role));
    }
    if (connection.credentials().roles().empty()) return std::optional<access::OwnRights>();
    return std::optional(RightsOf(roles));
  }

  Status ListRequests(Call call, const types::AccessRequestFilter& filter, const PageVisitor& page,
                      const Bound& bound) {
    bool visited = false;  // what the visitor has seen, it must not see again
    const PageVisitor visit = [&](std::vector<access::AccessRequest> requests) {
      visited = true;
      return page(std::move(requests));
    };
    const auto list = [&](Connection& connection) {
      return Lister(connection, call, filter, visit, bound).Run();
    };
    return Reading<Status>(bound, list, [&] { return !visited; });
  }

  Connector connector_;
};

}  // namespace

void QuietGrpc() {
  ::setenv("GRPC_VERBOSITY", "NONE", 0);
}

Result<std::unique_ptr<TeleportClient>> MakeTeleportClient(const config::TeleportSettings& settings,
                                                           Clock& clock, Logger& log,
                                                           const Keepalive& keepalive) {
  Result<Credentials> credentials = LoadCredentials(settings);
  if (!credentials) return credentials.error();
  return std::unique_ptr<TeleportClient>(
      std::make_unique<Client>(settings, std::move(*credentials), clock, log, keepalive));
}

}  // namespace tw::teleport
