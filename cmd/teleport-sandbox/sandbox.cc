#include "sandbox.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>

#include "sandbox_parts.h"
#include "service/tls_credentials.h"

namespace tw::sandbox {
namespace {

constexpr std::chrono::seconds kReaderPatience{30};
constexpr std::size_t kBurstStep = 256;
constexpr std::chrono::seconds kShutdownGrace{2};
// As Go's server: the third early ping is one too many.
constexpr int kPingStrikes = 2;

const Caller kOperator{.user = "operator", .built_in_admin = true};

Error ToError(const Refusal& refusal) {
  const ErrorKind kind = refusal.code == Code::kNotFound           ? ErrorKind::kNotFound
                         : refusal.code == Code::kPermissionDenied ? ErrorKind::kCredentials
                         : refusal.code == Code::kInvalidArgument  ? ErrorKind::kConflict
                                                                   : ErrorKind::kFailure;
  return {kind, refusal.message, {}, false};
}

Status ToStatus(const Answer<void>& answer) {
  if (!answer) return ToError(answer.error());
  return {};
}

}  // namespace

Sandbox::Sandbox(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Sandbox::~Sandbox() {
  Stop();
}

Result<std::unique_ptr<Sandbox>> Sandbox::Start(SandboxOptions options) {
  std::unique_ptr<Sandbox> sandbox(new Sandbox(std::make_unique<Parts>(std::move(options))));
  Parts& parts = *sandbox->parts_;
  PkiOptions pki;
  pki.dir = parts.options.dir;
  pki.cluster = parts.options.cluster;
  pki.key_type = parts.options.key_type;
  pki.user_life = parts.options.user_life;
  auto made = Pki::Make(pki, parts.clock, parts.random);
  if (!made) return made.error();
  parts.pki = *std::move(made);
  if (Status ok = sandbox->WriteAllUsers(); !ok) return ok.error();
  if (Status ok = parts.StartServer(); !ok) return ok.error();
  if (Status ok = parts.StartFronts(); !ok) return ok.error();
  parts.Sweep();
  return sandbox;
}

Status Sandbox::Parts::StartServer() {
  ClusterFacts facts{options.release, options.cluster,
                     [this] { return proxy ? proxy->address().Text() : std::string(); }};
  service = std::make_unique<AuthService>(std::move(facts), book, shelf, users, faults, hub);
  grpc::ServerBuilder builder;
  acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      ReloadingCredentials([this] { return pki->Server(); }));
  builder.RegisterService(service.get());
  builder.RegisterCallbackGenericService(&unknown_calls);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             static_cast<int>(options.min_ping_interval.count()));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kPingStrikes);
  builder.SetMaxSendMessageSize(-1);
  server = builder.BuildAndStart();
  if (!server) return Error::Failure("gRPC refused to start the server");
  auto opened = Listener::Open(options.listen, [this](UniqueFd fd) { HandOver(std::move(fd)); });
  if (!opened) return opened.error();
  listener = *std::move(opened);
  options.listen = listener->address();
  return {};
}

Status Sandbox::Parts::StartFront(FrontKind kind, const Address& where, const ServerIdentity& web,
                                  std::unique_ptr<Front>& out) {
  FrontOptions front;
  front.kind = kind;
  front.listen = where;
  front.release = options.release;
  front.cluster = options.cluster;
  front.web = web;
  front.auth_address = [this] { return options.listen; };
  front.to_auth = [this](UniqueFd fd) {  // without a dial of its own, so that it looks first
    if (listener->listening()) {
      HandOver(std::move(fd));
    } else {
      ::shutdown(fd.get(), SHUT_RDWR);
    }
  };
  auto opened = Front::Open(std::move(front));
  if (!opened) return opened.error();
  out = *std::move(opened);
  return {};
}

std::vector<Front*> Sandbox::Parts::Fronts() const {
  std::vector<Front*> fronts;
  for (Front* front : {proxy.get(), load_balancer.get()})
    if (front != nullptr) fronts.push_back(front);
  return fronts;
}

Status Sandbox::Parts::StartFronts() {
  if (!options.proxy && !options.load_balancer) return {};
  const auto web = pki->MakeWebIdentity({"localhost", "127.0.0.1"});
  if (!web) return web.error();
  if (options.proxy) {
    if (Status ok = StartFront(FrontKind::kProxy, *options.proxy, *web, proxy); !ok) return ok;
  }
  if (options.load_balancer)
    return StartFront(FrontKind::kLoadBalancer, *options.load_balancer, *web, load_balancer);
  return {};
}

void Sandbox::Parts::HandOver(UniqueFd connection) {
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
  parameters.fd = connection.Release();
  acceptor->HandleNewConnection(&parameters);
}

void Sandbox::Parts::Sweep() {
  book.RemoveExpired();
  scheduler.After(options.expiry_scan, [this] { Sweep(); });
}

void Sandbox::Stop() {
  Parts& parts = *parts_;
  if (std::exchange(parts.stopped, true)) return;
  parts.scheduler.Stop();
  parts.hub.EndAll({Code::kUnavailable, "the server is shutting down", 0});
  if (parts.server) parts.server->Shutdown(std::chrono::system_clock::now() + kShutdownGrace);
  parts.proxy.reset();
  parts.load_balancer.reset();
  parts.listener.reset();
  if (parts.server) parts.server->Wait();
}

const SandboxOptions& Sandbox::options() const {
  return parts_->options;
}
Address Sandbox::address() const {
  return parts_->options.listen;
}
std::optional<Address> Sandbox::proxy_address() const {
  if (!parts_->proxy) return std::nullopt;
  return parts_->proxy->address();
}

std::optional<Address> Sandbox::load_balancer_address() const {
  if (!parts_->load_balancer) return std::nullopt;
  return parts_->load_balancer->address();
}

std::string Sandbox::File(const std::string& name) const {
  return (parts_->options.dir / name).string();
}

Result<std::string> Sandbox::Request(NewRequest wanted) {
  const auto made = parts_->book.Create(kOperator, std::move(wanted));
  if (!made) return ToError(made.error());
  return (*made)->id;
}

Status Sandbox::SetState(const StateChange& change) {
  return ToStatus(parts_->book.SetState(kOperator, change));
}

Status Sandbox::Approve(const std::string& id, const std::string& reason) {
  StateChange change;
  change.id = id;
  change.state = State::kApproved;
  change.reason = reason;
  return SetState(change);
}

Status Sandbox::Deny(const std::string& id, const std::string& reason) {
  StateChange change;
  change.id = id;
  change.state = State::kDenied;
  change.reason = reason;
  return SetState(change);
}

Result<State> Sandbox::SubmitReview(const std::string& id, const std::string& author, State proposed,
                                    const std::string& reason) {
  ReviewSubmission submission;
  submission.id = id;
  submission.review.author = author;
  submission.review.proposed = proposed;
  submission.review.reason = reason;
  const auto after = parts_->book.SubmitReview(kOperator, submission);
  if (!after) return ToError(after.error());
  return (*after)->state;
}

Status Sandbox::Promote(const std::string& id, const AccessList& list, const std::string& reason) {
  return ToStatus(parts_->book.Promote(id, list, reason));
}

Status Sandbox::Delete(const std::string& id) {
  return ToStatus(parts_->book.Delete(kOperator, id));
}
Status Sandbox::Expire(const std::string& id) {
  return ToStatus(parts_->book.Expire(id));
}
Status Sandbox::Touch(const std::string& id) {
  return ToStatus(parts_->book.Touch(id));
}
RequestPtr Sandbox::Find(const std::string& id) const {
  return parts_->book.Find(id);
}

std::vector<RequestPtr> Sandbox::List(const ListQuery& query) const {
  auto page = parts_->book.List(kOperator, query);
  return page ? std::move(page->requests) : std::vector<RequestPtr>{};
}

std::optional<std::string> Sandbox::LastDelegator(const std::string& id) const {
  return parts_->book.LastDelegator(id);
}

Status Sandbox::SetRights(const std::string& user, const std::vector<std::string>& words) {
  return ToStatus(parts_->users.SetRights(user, words));
}

Result<std::size_t> Sandbox::MakeBurst(const Burst& burst, std::stop_token stop) {
  if (burst.hold) parts_->hub.Hold(true);
  NewRequest wanted;
  wanted.user = burst.user;
  wanted.roles = burst.roles;
  wanted.reason = burst.reason;
  std::size_t made = 0;
  Status failed;
  while (made < burst.count && failed && !stop.stop_requested()) {
    if (!burst.hold && made % kBurstStep == 0 && !parts_->hub.WaitForRoom(kReaderPatience, stop)) {
      failed = Error{ErrorKind::kTimeout, "a watcher did not read for 30 s", {}, false};
      break;
    }
    const auto id = Request(wanted);
    if (!id) {
      failed = id.error();
      break;
    }
    ++made;
    if (burst.approve) failed = Approve(*id);
    if (failed && burst.remove) failed = Delete(*id);
  }
  if (burst.hold) parts_->hub.Hold(false);
  if (!failed) return failed.error();
  return made;
}

Status Sandbox::WriteUser(const std::string& name, std::chrono::seconds life, bool impersonated,
                          const std::vector<std::string>& active_requests) {
  UserSubject subject;
  subject.name = name;
  const auto rights = parts_->users.Find(name);
  subject.roles = {rights ? rights->role : name};
  subject.impersonated = impersonated;
  subject.active_requests = active_requests;
  return parts_->pki->WriteUser(subject, life);
}

Status Sandbox::WriteAllUsers(std::chrono::seconds life) {
  for (const std::string& name : parts_->users.Users()) {
    if (Status ok = WriteUser(name, life); !ok) return ok;
  }
  return {};
}

Status Sandbox::Rotate(RotationPhase phase) {
  return parts_->pki->Rotate(phase);
}

bool Sandbox::WaitForWatchers(std::size_t count, std::chrono::milliseconds timeout,
                              std::stop_token stop) const {
  return parts_->hub.WaitForWatchers(count, timeout, std::move(stop));
}

std::size_t Sandbox::watchers() const {
  return parts_->hub.watchers();
}
std::size_t Sandbox::connections() const {
  return parts_->listener->connections();
}
std::size_t Sandbox::requests() const {
  return parts_->book.size();
}

}  // namespace tw::sandbox
