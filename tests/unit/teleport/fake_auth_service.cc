#include "fake_auth_service.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <csignal>
#include <cstdlib>

#include "teleport/http_text.h"
#include "teleport/route.h"
#include "teleport/wait.h"
#include "teleport/websocket.h"

namespace tw::fakes {
namespace {

using grpc::Status;
using grpc::StatusCode;

Status Unknown(const char* method) {
  return {StatusCode::UNIMPLEMENTED, fmt::format("unknown method {} for service proto.AuthService", method)};
}

void Must(bool fine) {
  if (!fine) std::abort();
}

std::vector<std::string> OfferedProtocols(SSL* ssl) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  std::vector<std::string> out;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &bytes, &size) != 1)
    return out;
  for (std::size_t at = 2; at < size; at += 1U + bytes[at]) {
    out.emplace_back(reinterpret_cast<const char*>(bytes + at + 1), bytes[at]);
  }
  return out;
}

std::string ServerName(SSL* ssl) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &size) != 1 || size < 5) return {};
  return {reinterpret_cast<const char*>(bytes + 5), size - 5};
}

int ChooseProtocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                   unsigned in_size, void* wanted) {
  const auto* protocol = static_cast<const std::string*>(wanted);
  for (unsigned at = 0; at < in_size; at += 1U + in[at]) {
    if (std::string(reinterpret_cast<const char*>(in + at + 1), in[at]) == *protocol) {
      *out = in + at + 1;
      *out_size = in[at];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// What the web pages of a proxy are served over: either, the client's first choice wins.
int ChooseWebProtocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                      unsigned in_size, void*) {
  for (unsigned at = 0; at < in_size; at += 1U + in[at]) {
    const std::string offered(reinterpret_cast<const char*>(in + at + 1), in[at]);
    if (offered != "h2" && offered != "http/1.1") continue;
    *out = in + at + 1;
    *out_size = in[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

const std::string kHttp = "http/1.1";

}  // namespace

Status ScriptedAuth::Ping(Context* context, const proto::PingRequest*, proto::PingResponse* answer) {
  return ping ? ping(context, answer) : Unknown("Ping");
}
Status ScriptedAuth::WatchEvents(Context* context, const proto::Watch* request,
                                 grpc::ServerWriter<proto::Event>* writer) {
  return watch ? watch(context, *request, writer) : Unknown("WatchEvents");
}
Status ScriptedAuth::ListAccessRequests(Context*, const proto::ListAccessRequestsRequest* request,
                                        proto::ListAccessRequestsResponse* answer) {
  return list ? list(*request, answer) : Unknown("ListAccessRequests");
}
Status ScriptedAuth::GetAccessRequestsV2(Context*, const types::AccessRequestFilter* filter,
                                         grpc::ServerWriter<types::AccessRequestV3>* writer) {
  return stream_list ? stream_list(*filter, writer) : Unknown("GetAccessRequestsV2");
}
Status ScriptedAuth::GetAccessRequests(Context*, const types::AccessRequestFilter* filter,
                                       proto::AccessRequests* answer) {
  return unary_list ? unary_list(*filter, answer) : Unknown("GetAccessRequests");
}
Status ScriptedAuth::SetAccessRequestState(Context*, const proto::RequestStateSetter* request,
                                           google::protobuf::Empty*) {
  return set_state ? set_state(*request) : Unknown("SetAccessRequestState");
}
Status ScriptedAuth::SubmitAccessReview(Context*, const types::AccessReviewSubmission* request,
                                        types::AccessRequestV3* answer) {
  return review ? review(*request, answer) : Unknown("SubmitAccessReview");
}
Status ScriptedAuth::GetRole(Context*, const proto::GetRoleRequest* request, types::RoleV6* answer) {
  return role ? role(request->name(), answer) : Unknown("GetRole");
}

// A proxy decides by the first protocol alone: the Auth Service's own TLS for teleport-auth@, its web pages
// for others.
int OnHello(SSL* ssl, int*, void* self) {
  auto* service = static_cast<FakeAuthService*>(self);
  SeenHello hello{OfferedProtocols(ssl), ServerName(ssl)};
  const bool web = service->options_.front == Front::kProxy &&
                   (hello.alpn.empty() || !hello.alpn.front().starts_with("teleport-auth@"));
  std::lock_guard lock(service->mutex_);
  if (web) {
    SSL_set_SSL_CTX(ssl, service->web_context_.get());
    SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
  }
  service->hellos_.push_back(std::move(hello));
  if (service->options_.hangs_up_on_auth_name && SSL_get_SSL_CTX(ssl) == service->web_context_.get() &&
      service->hellos_.back().server_name == teleport::kAuthName) {
    ::shutdown(SSL_get_fd(ssl), SHUT_RDWR);
    return SSL_CLIENT_HELLO_ERROR;
  }
  return SSL_CLIENT_HELLO_SUCCESS;
}

FakeAuthService::Context FakeAuthService::MakeContext(const std::string& key, const std::string& certificate,
                                                      const std::string& user_ca, bool auth) {
  Context context(SSL_CTX_new(TLS_server_method()));
  const auto bio = [](const std::string& pem) {
    return BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  };
  BIO* key_bio = bio(key);
  BIO* certificate_bio = bio(certificate);
  const teleport::Openssl<EVP_PKEY> parsed_key(PEM_read_bio_PrivateKey(key_bio, nullptr, nullptr, nullptr));
  const teleport::Openssl<X509> parsed(PEM_read_bio_X509(certificate_bio, nullptr, nullptr, nullptr));
  BIO_free(key_bio);
  BIO_free(certificate_bio);
  Must(SSL_CTX_use_certificate(context.get(), parsed.get()) == 1 &&
       SSL_CTX_use_PrivateKey(context.get(), parsed_key.get()) == 1);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_client_hello_cb(context.get(), OnHello, this);
  if (auth) {
    SSL_CTX_set_alpn_select_cb(context.get(), ChooseProtocol, &options_.alpn);
  } else if (options_.front == Front::kProxy) {
    SSL_CTX_set_alpn_select_cb(context.get(), ChooseWebProtocol, nullptr);
  }
  if (auth && !user_ca.empty()) {
    BIO* ca_bio = bio(user_ca);
    const teleport::Openssl<X509> ca(PEM_read_bio_X509(ca_bio, nullptr, nullptr, nullptr));
    BIO_free(ca_bio);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), ca.get());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  }
  return context;
}

FakeAuthService::FakeAuthService(FakeAuthOptions options, ScriptedAuth& service)
    : options_(std::move(options)), bell_(::eventfd(0, EFD_CLOEXEC)) {
  std::signal(SIGPIPE, SIG_IGN);  // as the program does
  auth_context_ = MakeContext(options_.server_key, options_.server_certificate, options_.user_ca, true);
  if (!options_.web_key.empty())
    web_context_ = MakeContext(options_.web_key, options_.web_certificate, {}, false);
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  if (options_.connection_age.count() > 0) {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS,
                               static_cast<int>(options_.connection_age.count()));
  }
  server_ = builder.BuildAndStart();
  listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  any.sin_port = htons(options_.port);
  const int yes = 1;
  ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  Must(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&any), sizeof(any)) == 0 &&
       ::listen(listener_.get(), 64) == 0);
  thread_ = std::thread([this] { Accept(); });
}

FakeAuthService::~FakeAuthService() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t done = ::write(bell_.get(), &one, sizeof(one));
  thread_.join();
  DropAll();
  server_->Shutdown(std::chrono::system_clock::now());
}

std::string FakeAuthService::address() const {
  sockaddr_in bound{};
  socklen_t size = sizeof(bound);
  ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  return fmt::format("127.0.0.1:{}", ntohs(bound.sin_port));
}

void FakeAuthService::DropAll() {
  std::vector<teleport::Tunnel> dropped;
  std::lock_guard lock(mutex_);
  dropped.swap(tunnels_);
}

void FakeAuthService::Rotate(const std::string& key, const std::string& certificate,
                             const std::string& user_ca) {
  Context fresh = MakeContext(key, certificate, user_ca, true);
  std::lock_guard lock(mutex_);
  auth_context_.swap(fresh);
}

std::vector<SeenHello> FakeAuthService::hellos() const {
  std::lock_guard lock(mutex_);
  return hellos_;
}

std::size_t FakeAuthService::connections() const {
  std::lock_guard lock(mutex_);
  return connections_;
}

void FakeAuthService::Accept() {
  for (;;) {
    pollfd polled[2] = {{listener_.get(), POLLIN, 0}, {bell_.get(), POLLIN, 0}};
    ::poll(polled, 2, -1);
    if (polled[1].revents != 0) return;
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) Serve(std::move(fd));
  }
}

bool FakeAuthService::AddTls(teleport::Tunnel& tunnel, SSL_CTX* context, std::string* chosen) {
  teleport::Waiter waiter(std::chrono::steady_clock::now() + std::chrono::seconds(10), {});
  teleport::Openssl<SSL> ssl(SSL_new(context));
  UniqueFd fd = tunnel.TakeEnd();
  SSL_set_fd(ssl.get(), fd.get());
  for (;;) {
    ERR_clear_error();
    const int result = SSL_accept(ssl.get());
    if (result == 1) break;
    const int error = SSL_get_error(ssl.get(), result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return false;
    if (!waiter.For(fd.get(), error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) return false;
  }
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl.get(), &protocol, &size);
  if (chosen != nullptr) chosen->assign(reinterpret_cast<const char*>(protocol), size);
  return tunnel.Add(teleport::MakeTlsFarEnd(std::move(ssl), std::move(fd), "client", "")).has_value();
}

void FakeAuthService::AnswerFind(teleport::Tunnel& tunnel, const std::string& request) {
  teleport::Waiter waiter(std::chrono::steady_clock::now() + std::chrono::seconds(10), {});
  const std::string& body = options_.find_body;
  const bool chunks = options_.find_form == FindForm::kChunks;
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
  if (!options_.find_date.empty()) answer += "Date: " + options_.find_date + "\r\n";
  if (options_.find_form == FindForm::kLength) answer += fmt::format("Content-Length: {}\r\n", body.size());
  if (chunks) {
    answer += fmt::format("Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n{:X};a=b\r\n{}\r\n0\r\n\r\n",
                          body.substr(0, 2), body.size() - 2, body.substr(2));
  } else {
    answer += "\r\n" + body;
  }
  if (chunks && request.find(" HTTP/1.1\r\n") == std::string::npos)
    answer = "HTTP/1.1 426 Upgrade Required\r\n\r\n";
  [[maybe_unused]] const auto sent = teleport::WriteAll(tunnel.fd(), answer, waiter);
  if (options_.find_form == FindForm::kToTheEnd) ::shutdown(tunnel.fd(), SHUT_WR);
  [[maybe_unused]] const auto end = teleport::ReadToEnd(tunnel.fd(), 4096, waiter);
}

bool FakeAuthService::Upgrade(teleport::Tunnel& tunnel) {
  teleport::Waiter waiter(std::chrono::steady_clock::now() + std::chrono::seconds(10), {});
  const auto request = teleport::ReadUntil(tunnel.fd(), teleport::kEndOfHead, teleport::kMaxHttpHead, waiter);
  if (!request) return false;
  if (request->starts_with("GET /webapi/find ")) {
    AnswerFind(tunnel, *request);
    return false;
  }
  if (!options_.upgrade_known || !request->starts_with("GET /webapi/connectionupgrade ")) {
    [[maybe_unused]] const auto sent =
        teleport::WriteAll(tunnel.fd(), "HTTP/1.1 404 Not Found\r\n\r\n", waiter);
    ::shutdown(tunnel.fd(), SHUT_WR);
    [[maybe_unused]] const auto end = teleport::ReadToEnd(tunnel.fd(), 4096, waiter);
    return false;
  }
  const std::string marker = "Sec-WebSocket-Key: ";
  const std::size_t at = request->find(marker) + marker.size();
  const std::string key = request->substr(at, request->find('\r', at) - at);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
  unsigned char accept[64];
  EVP_EncodeBlock(accept, digest, static_cast<int>(size));
  const std::string answer = fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
      "Upgrade\r\nSec-WebSocket-Accept: {}\r\n"
      "Sec-WebSocket-Protocol: alpn-ping\r\n\r\n",
      reinterpret_cast<const char*>(accept));
  // A ping at once: its pong must not disturb what follows.
  const std::string ping = teleport::EncodeFrame(teleport::Opcode::kPing, "there?");
  if (!teleport::WriteAll(tunnel.fd(), answer + ping, waiter)) return false;
  return tunnel.Add(teleport::MakeWebSocketFarEnd(tunnel.TakeEnd())).has_value();
}

void FakeAuthService::Serve(UniqueFd fd) {
  teleport::Tunnel tunnel(std::move(fd));
  if (options_.front == Front::kLoadBalancer) {
    if (!AddTls(tunnel, web_context_.get(), nullptr) || !Upgrade(tunnel)) return;
  }
  SSL_CTX* context = nullptr;
  {
    std::lock_guard lock(mutex_);
    context = auth_context_.get();
    SSL_CTX_up_ref(context);
  }
  const Context held(context);
  std::string chosen;
  if (!AddTls(tunnel, context, &chosen)) return;
  if (chosen == kHttp) {
    teleport::Waiter waiter(std::chrono::steady_clock::now() + std::chrono::seconds(10), {});
    const auto request =
        teleport::ReadUntil(tunnel.fd(), teleport::kEndOfHead, teleport::kMaxHttpHead, waiter);
    if (request) AnswerFind(tunnel, *request);
    return;
  }
  std::lock_guard lock(mutex_);
  grpc::AddInsecureChannelFromFd(server_.get(), tunnel.TakeEnd().Release());
  tunnels_.push_back(std::move(tunnel));
  ++connections_;
}

}  // namespace tw::fakes
