// MhdServer: HttpServer over libmicrohttpd (0.9.75 and newer): one event thread moves bytes, requests are
// handled on a WorkerPool while their connection is suspended.
//
// The loop around epoll is ours: libmicrohttpd's own turns without a pause as long as any TLS handshake is
// unfinished, so that one silent client would keep a core busy.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/network.h"
#include "base/unique_fd.h"
#include "callback/http_server.h"
#include "callback/listener.h"
#include "callback/mhd/connection_table.h"
#include "callback/mhd/doorstep.h"
#include "callback/mhd/tls_context.h"
#include "callback/mhd/worker_pool.h"

struct MHD_Daemon;

namespace tw::callback {

class MhdServer final : public HttpServer {
 public:
  explicit MhdServer(Logger& log) : log_(log) {}
  ~MhdServer() override { Stop(std::chrono::milliseconds(0)); }

  Result<std::string> Start(HttpServerOptions options, HttpHandler& handler) override;
  Status ReplaceTls(TlsMaterial material) override;
  Status TrustPeers(const std::vector<std::string>& peers) override;
  void Stop(std::chrono::milliseconds drain) override;

 private:
  friend struct MhdCallbacks;  // the C functions that libmicrohttpd calls, all on its event thread

  Result<std::string> StartDaemon();
  void Turn(std::stop_token stop);
  void Wake();
  std::string KeyOf(const std::string& peer) const;
  void LetIn();
  void DropFailed();
  Connection* Opened(MHD_Connection* mhd);
  void BeginRequest(Connection& connection, const char* target);
  std::optional<HttpResponse> ReadHead(Connection& connection, const char* method, const char* version);
  bool TakeBody(Connection& connection, const char* data, std::size_t size) const;
  // Suspends the connection and hands the request to a worker, or answers 503.
  bool Dispatch(Connection& connection);
  void Work(Connection& connection, std::stop_token stop);
  bool Answer(Connection& connection, const HttpResponse& response);
  void ReadCertificate(Connection& connection) const;

  Logger& log_;
  HttpServerOptions options_;
  HttpHandler* handler_ = nullptr;
  AddressSet trusted_peers_;  // under turning_
  std::optional<Listener> listener_;
  std::unique_ptr<TlsContext> tls_;
  std::unique_ptr<ConnectionTable> connections_;
  std::unique_ptr<WorkerPool> workers_;
  std::unique_ptr<Doorstep> door_;
  std::map<int, Connection*> entering_;  // handed to libmicrohttpd, not taken up yet
  MHD_Daemon* daemon_ = nullptr;
  std::mutex turning_;  // held while the event thread works
  UniqueFd wake_;
  std::jthread events_;
};

}  // namespace tw::callback
