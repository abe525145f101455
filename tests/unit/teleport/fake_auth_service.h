// An Auth Service in this process: real TCP, TLS by OpenSSL, gRPC by the library; what it answers is up to
// the test. It can stand behind three kinds of front: itself, a proxy's web port, a layer-7 load balancer.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "fakes/test_pki.h"
#include "teleport/tls.h"
#include "teleport/tunnel.h"
#include "wire/authservice.grpc.pb.h"

namespace tw::fakes {

// Methods without a function answer UNIMPLEMENTED, as an older or newer server would.
class ScriptedAuth final : public proto::AuthService::Service {
 public:
  using Context = grpc::ServerContext;
  std::function<grpc::Status(Context*, proto::PingResponse*)> ping;
  std::function<grpc::Status(Context*, const proto::Watch&, grpc::ServerWriter<proto::Event>*)> watch;
  std::function<grpc::Status(const proto::ListAccessRequestsRequest&, proto::ListAccessRequestsResponse*)>
      list;
  std::function<grpc::Status(const types::AccessRequestFilter&, grpc::ServerWriter<types::AccessRequestV3>*)>
      stream_list;
  std::function<grpc::Status(const types::AccessRequestFilter&, proto::AccessRequests*)> unary_list;
  std::function<grpc::Status(const proto::RequestStateSetter&)> set_state;
  std::function<grpc::Status(const types::AccessReviewSubmission&, types::AccessRequestV3*)> review;
  std::function<grpc::Status(const std::string&, types::RoleV6*)> role;

 private:
  grpc::Status Ping(Context*, const proto::PingRequest*, proto::PingResponse*) override;
  grpc::Status WatchEvents(Context*, const proto::Watch*, grpc::ServerWriter<proto::Event>*) override;
  grpc::Status ListAccessRequests(Context*, const proto::ListAccessRequestsRequest*,
                                  proto::ListAccessRequestsResponse*) override;
  grpc::Status GetAccessRequestsV2(Context*, const types::AccessRequestFilter*,
                                   grpc::ServerWriter<types::AccessRequestV3>*) override;
  grpc::Status GetAccessRequests(Context*, const types::AccessRequestFilter*,
                                 proto::AccessRequests*) override;
  grpc::Status SetAccessRequestState(Context*, const proto::RequestStateSetter*,
                                     google::protobuf::Empty*) override;
  grpc::Status SubmitAccessReview(Context*, const types::AccessReviewSubmission*,
                                  types::AccessRequestV3*) override;
  grpc::Status GetRole(Context*, const proto::GetRoleRequest*, types::RoleV6*) override;
};

enum class Front { kAuth, kProxy, kLoadBalancer };
// How the body of /webapi/find ends: with the connection, after a told length, or with the last chunk; the
// connection is kept in the latter two, whatever the client asked for, and HTTP/1.0 is refused by the last.
enum class FindForm { kToTheEnd, kLength, kChunks };

struct FakeAuthOptions {
  Front front = Front::kAuth;
  std::string server_key;  // of the Auth Service
  std::string server_certificate;
  std::string user_ca;  // who may connect; empty: no client certificates are asked for
  std::string web_key;  // of proxy or load balancer
  std::string web_certificate;
  std::string find_body;  // of /webapi/find
  std::string find_date;  // its Date, if any
  FindForm find_form = FindForm::kToTheEnd;
  bool upgrade_known = true;           // load balancer: does the proxy behind know connection upgrades?
  std::string alpn = "h2";             // what the Auth Service chooses, if offered
  bool hangs_up_on_auth_name = false;  // the front closes on clients that ask for the Auth Service's name
  std::uint16_t port = 0;              // 0: a free one
  // Gives a connection up at about this age (GOAWAY), but lets the calls under way go on. Zero: never.
  std::chrono::milliseconds connection_age{0};
};

// What a client was seen to do at the TLS layer.
struct SeenHello {
  std::vector<std::string> alpn;
  std::string server_name;
};

class FakeAuthService {
 public:
  FakeAuthService(FakeAuthOptions options, ScriptedAuth& service);
  ~FakeAuthService();

  std::string address() const;
  // Breaks every connection, as a restart would.
  void DropAll();
  // Takes another certificate and another user CA for the connections to come.
  void Rotate(const std::string& key, const std::string& certificate, const std::string& user_ca);
  std::vector<SeenHello> hellos() const;
  std::size_t connections() const;  // that reached gRPC, in all

 private:
  friend int OnHello(SSL* ssl, int* alert, void* self);
  using Context = std::unique_ptr<SSL_CTX, teleport::OpensslDeleter>;
  Context MakeContext(const std::string& key, const std::string& certificate, const std::string& user_ca,
                      bool auth);
  void Accept();
  void Serve(UniqueFd fd);
  // TLS as a server on top of the tunnel; false when the handshake fails. `chosen` gets the negotiated
  // protocol.
  bool AddTls(teleport::Tunnel& tunnel, SSL_CTX* context, std::string* chosen);
  bool Upgrade(teleport::Tunnel& tunnel);
  void AnswerFind(teleport::Tunnel& tunnel, const std::string& request);

  FakeAuthOptions options_;
  Context auth_context_;
  Context web_context_;
  std::unique_ptr<grpc::Server> server_;
  UniqueFd listener_;
  UniqueFd bell_;
  mutable std::mutex mutex_;
  std::vector<SeenHello> hellos_;
  std::vector<teleport::Tunnel> tunnels_;
  std::size_t connections_ = 0;
  std::thread thread_;
};

}  // namespace tw::fakes
