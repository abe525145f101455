// Connection: one tunnel to an Auth Service with gRPC on top. Shared by the calls and streams that use it;
// ends when the last of them lets go. Internal to lib/teleport, hence gRPC types in the interface.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>

#include "access/access_api.h"
#include "teleport/client.h"
#include "teleport/credentials.h"
#include "teleport/route.h"
#include "teleport/status.h"
#include "wire/authservice.grpc.pb.h"

namespace tw::teleport {

// Which list method this server knows (reference page section 1.1); found out once a connection.
enum class ListMethod { kPaged, kStreamed, kUnary };

// A call's limits with the moment they end, so that a call of several steps is bounded as a whole.
struct Bound {
  explicit Bound(const access::CallLimits& limits)
      : deadline(std::chrono::steady_clock::now() + limits.timeout), stop(limits.stop) {}
  Bound(Deadline until, std::stop_token token) : deadline(until), stop(std::move(token)) {}
  Deadline deadline;
  std::stop_token stop;
};

class Connection {
 public:
  Connection(Dialled dialled, Credentials credentials, const Keepalive& keepalive);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  proto::AuthService::Stub& stub() { return *stub_; }
  const Credentials& credentials() const { return credentials_; }
  const Way& way() const { return way_; }
  std::atomic<ListMethod>& list_method() { return list_method_; }

  // Fit for new calls?
  bool usable() const { return !retired_ && tunnel_.alive(); }
  void Retire() { retired_ = true; }
  // Newer credentials have taken over: streams on this connection are to be opened again on the new one.
  void Supersede() { superseded_.request_stop(); }
  std::stop_token superseded() const { return superseded_.get_token(); }

  // What a status of a call on this connection means; retires the connection when it is broken.
  Error Explain(Call call, const grpc::Status& status, const std::stop_token& stop);

 private:
  Tunnel tunnel_;
  const Way way_;
  const Credentials credentials_;
  std::unique_ptr<proto::AuthService::Stub> stub_;
  std::atomic<bool> retired_{false};
  std::atomic<ListMethod> list_method_{ListMethod::kPaged};
  std::stop_source superseded_;
};

// The context of one call: deadline and stop token are set.
class CallContext {
 public:
  explicit CallContext(const Bound& bound);
  grpc::ClientContext* get() { return &context_; }
  void Cancel() { context_.TryCancel(); }

 private:
  struct Canceller {
    grpc::ClientContext* context;
    void operator()() const { context->TryCancel(); }
  };
  grpc::ClientContext context_;
  std::stop_callback<Canceller> on_stop_;
};

}  // namespace tw::teleport
