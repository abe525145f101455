// The control socket: one line in, one line out, over a Unix socket that only its owner may open.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "base/result.h"
#include "base/unique_fd.h"

namespace tw::sandbox {

class ControlServer {
 public:
  // Called on a thread of the connection's own; `stop` is requested when the server ends.
  using Handler = std::function<std::string(const std::string& line, std::stop_token stop)>;

  // Error: kFailure naming the path. A socket that a dead process left behind is replaced.
  static Result<std::unique_ptr<ControlServer>> Open(const std::string& path, Handler handler);
  ~ControlServer();

 private:
  struct Connection {
    std::jthread thread;
    std::shared_ptr<std::atomic<bool>> done;
  };

  ControlServer(std::string path, Handler handler) : path_(std::move(path)), handler_(std::move(handler)) {}
  void Run(const std::stop_token& stop);
  void Serve(UniqueFd connection, const std::stop_token& stop) const;

  const std::string path_;
  const Handler handler_;
  UniqueFd listening_;
  std::list<Connection> connections_;  // the accept thread's own
  std::jthread thread_;
};

// One call. Errors: kUnreachable when nobody listens there, kTimeout, kFailure.
Result<std::string> CallControl(const std::string& path, const std::string& line,
                                std::chrono::milliseconds timeout);

}  // namespace tw::sandbox
