#include "callback/mhd/mhd_server.h"

#include <microhttpd.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "callback/mhd/mhd_callbacks.h"
#include "callback/mhd/request_head.h"

namespace tw::callback {
namespace {

// TLS 1.2 and 1.3 with the library's own choice of ciphers. X25519 goes first: it is what clients send a
// share for, and the library would cost each of them a round trip (HelloRetryRequest) to get its own
// favourite.
constexpr const char* kPriorities =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:"
    "+GROUP-SECP521R1:+GROUP-X448:+GROUP-FFDHE2048:+GROUP-FFDHE3072:+GROUP-FFDHE4096:%SERVER_PRECEDENCE";
// Of libmicrohttpd's memory for each connection, beyond the head: the head of the answer and its own records.
constexpr std::size_t kConnectionSlack = 16 * 1024;
constexpr std::size_t kReadStep = 4 * 1024;
// Connections between "the table is full" and "the ones that were cut are gone".
constexpr unsigned kConnectionMargin = 64;
// For an answer to get out after its handler used up its time.
constexpr std::chrono::seconds kAnswerGrace{2};
// Bytes of a chunked body beyond the limit that are read, so that the client can still see a 413.
constexpr std::size_t kExcess = 256 * 1024;

// How long a client certificate counts before it is verified again: it may expire on an open connection.
constexpr std::chrono::minutes kVerifiedFor{1};

// How often in a row libmicrohttpd may go on at once after something has arrived: a request and its answer
// take several turns. Then, and with an unfinished handshake it wants to turn for ever, the loop pauses.
constexpr int kTurnsInARow = 8;
constexpr int kPauseMs = 2;

SteadyTime Now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

Result<std::string> MhdServer::Start(HttpServerOptions options, HttpHandler& handler) {
  if (daemon_ != nullptr) return Error::Failure("the listener runs already");
  options_ = std::move(options);
  handler_ = &handler;
  if (const Status trusted = TrustPeers(options_.trusted_peers); !trusted) return trusted.error();
  if (options_.tls) {
    auto generation = TlsGeneration::Make(*options_.tls);
    if (!generation) return generation.error();
    tls_ = std::make_unique<TlsContext>(std::move(*generation), options_.request_timeout + kAnswerGrace);
    options_.tls.reset();  // the key lives in the context only
  }
  auto listener = Listener::Open(options_.listen);
  if (!listener) return listener.error();
  listener_.emplace(std::move(*listener));
  connections_ = std::make_unique<ConnectionTable>(
      ConnectionLimits{options_.connections, options_.connections_per_address});
  workers_ = std::make_unique<WorkerPool>(options_.workers, options_.queue);
  auto started = StartDaemon();
  if (!started) {
    workers_.reset();
    connections_.reset();
    listener_.reset();
    tls_.reset();
  }
  return started;
}

Result<std::string> MhdServer::StartDaemon() {
  unsigned flags =
      MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
  if (tls_) flags |= MHD_USE_TLS;
  const auto number = [](std::size_t value) { return static_cast<intptr_t>(value); };
  std::vector<MHD_OptionItem> extra{
      {MHD_OPTION_CONNECTION_LIMIT, number(options_.connections + kConnectionMargin), nullptr},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, number(options_.max_head + kConnectionSlack), nullptr},
      {MHD_OPTION_CONNECTION_MEMORY_INCREMENT, number(kReadStep), nullptr},
      {MHD_OPTION_STRICT_FOR_CLIENT, 1, nullptr},
      {MHD_OPTION_NOTIFY_CONNECTION, reinterpret_cast<intptr_t>(&MhdCallbacks::OnConnection), this},
      {MHD_OPTION_NOTIFY_COMPLETED, reinterpret_cast<intptr_t>(&MhdCallbacks::OnCompleted), this},
      {MHD_OPTION_URI_LOG_CALLBACK, reinterpret_cast<intptr_t>(&MhdCallbacks::OnTarget), this},
      {MHD_OPTION_UNESCAPE_CALLBACK, reinterpret_cast<intptr_t>(&MhdCallbacks::KeepEscapes), this}};
  if (tls_) {
    extra.push_back({MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(kPriorities)});
    extra.push_back({MHD_OPTION_HTTPS_CERT_CALLBACK, 0, reinterpret_cast<void*>(&TlsContext::Retrieve)});
  }
  extra.push_back({MHD_OPTION_END, 0, nullptr});
  // The logger comes first, so that it hears of trouble with the other options.
  daemon_ =
      MHD_start_daemon(flags, 0, nullptr, nullptr, &MhdCallbacks::OnRequest, this, MHD_OPTION_EXTERNAL_LOGGER,
                       &MhdCallbacks::OnLog, &log_, MHD_OPTION_ARRAY, extra.data(), MHD_OPTION_END);
  if (daemon_ == nullptr) {
    return Error::Failure("cannot start the listener on " + listener_->address(),
                          "see the log for the reason");
  }
  door_ = std::make_unique<Doorstep>(
      Doorstep::Options{listener_->fd(), listener_->address(), tls_ != nullptr, options_.request_timeout,
                        [this](const std::string& peer) { return KeyOf(peer); }},
      *connections_, log_);
  wake_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  events_ = std::jthread([this](std::stop_token stop) { Turn(std::move(stop)); });
  return listener_->address();
}

void MhdServer::Turn(std::stop_token stop) {
  if (tls_) tls_->ServeThisThread();
  const int epoll = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  int turns = 0;
  while (!stop.stop_requested()) {
    MHD_UNSIGNED_LONG_LONG ignored = 0;
    const bool eager = MHD_get_timeout(daemon_, &ignored) == MHD_YES;
    std::array<pollfd, 3> fds{pollfd{epoll, POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0},
                              pollfd{door_->poll_fd(), POLLIN, 0}};
    const int patience = !eager ? door_->Patience() : turns < kTurnsInARow ? 0 : kPauseMs;
    const bool arrived = ::poll(fds.data(), fds.size(), patience) > 0;
    turns = arrived ? 0 : turns + 1;
    eventfd_t count = 0;
    if ((fds[1].revents & POLLIN) != 0) ::eventfd_read(wake_.get(), &count);
    std::lock_guard lock(turning_);
    LetIn();
    MHD_run(daemon_);
    DropFailed();
  }
}

Status MhdServer::ReplaceTls(TlsMaterial material) {
  if (!tls_) return Error::Failure("the listener was started without TLS");
  auto generation = TlsGeneration::Make(material);
  if (!generation) return generation.error();
  tls_->Replace(std::move(*generation));
  return {};
}

Status MhdServer::TrustPeers(const std::vector<std::string>& peers) {
  auto trusted = AddressSet::Parse(peers);
  if (!trusted) return trusted.error();
  std::lock_guard lock(turning_);
  trusted_peers_ = std::move(*trusted);
  return {};
}

void MhdServer::Stop(std::chrono::milliseconds drain) {
  if (daemon_ == nullptr) return;
  {
    std::lock_guard lock(turning_);
    door_->StopAccepting();
  }
  listener_->Close();
  connections_->CloseWaiting();
  const SteadyTime end = Now() + drain;
  connections_->AwaitQuiet(end);
  workers_->Stop();  // every suspended connection is resumed after this
  connections_->AwaitQuiet(std::max(end, Now() + std::chrono::milliseconds(100)));
  events_.request_stop();
  Wake();
  events_.join();
  MHD_stop_daemon(daemon_);
  daemon_ = nullptr;
  door_.reset();
  workers_.reset();
  connections_.reset();
  listener_.reset();
  tls_.reset();
}

std::string MhdServer::KeyOf(const std::string& peer) const {
  const auto parsed = ParseNumeric(peer);
  if (!parsed || IsLoopback(*parsed) || trusted_peers_.Contains(peer)) return {};
  return FormatNumeric(HostPart(*parsed));
}

void MhdServer::LetIn() {
  for (Doorstep::Guest& guest : door_->Collect()) {
    const int fd = guest.fd.Release();  // libmicrohttpd's from here on, also when it refuses
    entering_.emplace(fd, guest.connection);
    MHD_add_connection(daemon_, fd, reinterpret_cast<const sockaddr*>(&guest.address), guest.length);
  }
}

// What libmicrohttpd did not take up in its turn, it has closed.
void MhdServer::DropFailed() {
  for (const auto& [fd, connection] : entering_) connections_->Remove(connection);
  entering_.clear();
}

Connection* MhdServer::Opened(MHD_Connection* mhd) {
  const auto* fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
  const auto found = entering_.extract(fd == nullptr ? -1 : fd->connect_fd);
  if (found.empty()) return nullptr;
  found.mapped()->mhd = mhd;
  return found.mapped();
}

void MhdServer::BeginRequest(Connection& connection, const char* target) {
  connection.exchange = {};
  connection.answered = false;
  connection.exchange.request.target = target;
  connections_->Enter(&connection, Phase::kReceiving, Now() + options_.request_timeout);
}

std::optional<HttpResponse> MhdServer::ReadHead(Connection& connection, const char* method,
                                                const char* version) {
  HttpRequest& request = connection.exchange.request;
  request.method = method;
  request.peer = connection.peer;
  request.tls = tls_ != nullptr;
  auto headers = ReadHeaders(connection.mhd);
  if (!headers) return handler_->Refuse(request, 400, "a header is folded over several lines");
  request.headers = *std::move(headers);
  if (HeadSize(request) > options_.max_head)
    return handler_->Refuse(request, 431, "the request head is too large");
  const FramingVerdict framing = CheckFraming(request, version, options_.max_body);
  if (framing == FramingVerdict::kTooLarge)
    return handler_->Refuse(request, 413, "the request body is too large");
  if (framing == FramingVerdict::kBad)
    return handler_->Refuse(request, 400, "the request's framing is ambiguous");
  return std::nullopt;
}

bool MhdServer::TakeBody(Connection& connection, const char* data, std::size_t size) const {
  Connection::Exchange& exchange = connection.exchange;
  std::string& body = exchange.request.body;
  if (!exchange.too_large && body.size() + size <= options_.max_body) {
    body.append(data, size);
    return true;
  }
  if (!exchange.too_large) {
    exchange.too_large = true;
    exchange.request.body.clear();
    exchange.excess = 0;
  }
  exchange.excess += size;
  return exchange.excess <= kExcess;
}

bool MhdServer::Dispatch(Connection& connection) {
  Connection::Exchange& exchange = connection.exchange;
  if (exchange.too_large) {
    HttpResponse answer = handler_->Refuse(exchange.request, 413, "the request body is too large");
    answer.close = true;
    return Answer(connection, answer);
  }
  ReadCertificate(connection);
  exchange.request.client_certificate = connection.certificate;
  exchange.request.deadline = Now() + options_.request_timeout;
  connections_->Enter(&connection, Phase::kAnswering, exchange.request.deadline + kAnswerGrace);
  MHD_suspend_connection(connection.mhd);
  if (workers_->Offer([this, &connection](std::stop_token stop) { Work(connection, std::move(stop)); }))
    return true;
  exchange.answer = handler_->Refuse(exchange.request, 503, "all workers are busy");
  connection.answered.store(true, std::memory_order_release);
  MHD_resume_connection(connection.mhd);
  Wake();
  return true;
}

void MhdServer::Work(Connection& connection, std::stop_token stop) {
  connection.exchange.answer = handler_->Handle(connection.exchange.request, std::move(stop));
  connection.answered.store(true, std::memory_order_release);
  MHD_resume_connection(connection.mhd);
  Wake();  // in this mode libmicrohttpd does not wake the loop
}

void MhdServer::Wake() {
  ::eventfd_write(wake_.get(), 1);
}

bool MhdServer::Answer(Connection& connection, const HttpResponse& response) {
  auto* const message = MHD_create_response_from_buffer(
      response.body.size(), const_cast<char*>(response.body.data()), MHD_RESPMEM_MUST_COPY);
  if (message == nullptr) return false;
  for (const auto& [name, value] : response.headers)
    MHD_add_response_header(message, name.c_str(), value.c_str());
  if (response.close) MHD_add_response_header(message, MHD_HTTP_HEADER_CONNECTION, "close");
  connections_->Enter(&connection, Phase::kAnswering, Now() + options_.request_timeout);
  const bool queued =
      MHD_queue_response(connection.mhd, static_cast<unsigned>(response.status), message) == MHD_YES;
  MHD_destroy_response(message);
  return queued;
}

void MhdServer::ReadCertificate(Connection& connection) const {
  if (!tls_) return;
  const std::shared_ptr<TlsGeneration> current = tls_->Current();
  const SteadyTime now = Now();
  if (connection.verified_by.lock() == current && now - connection.verified_at < kVerifiedFor) return;
  connection.verified_by = current;
  connection.verified_at = now;
  connection.certificate.reset();
  const auto* info = MHD_get_connection_info(connection.mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  if (info == nullptr) return;
  connection.certificate = current->Verify(static_cast<gnutls_session_t>(info->tls_session));
}

}  // namespace tw::callback
