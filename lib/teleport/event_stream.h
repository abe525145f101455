// GrpcEventStream: a watch of all access requests. A thread of its own reads and decodes; a full queue stops
// it, and so, through HTTP/2's windows, the server. Internal to lib/teleport.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "access/access_api.h"
#include "base/bounded_queue.h"
#include "teleport/connection.h"

namespace tw::teleport {

class GrpcEventStream final : public access::EventStream {
 public:
  GrpcEventStream(std::shared_ptr<Connection> connection, std::stop_token stop);
  ~GrpcEventStream() override;

  Result<std::vector<access::StreamChange>> Read(std::size_t most,
                                                 std::chrono::milliseconds timeout) override;
  void Cancel() override;
  bool Superseded() const override { return connection_->superseded().stop_requested(); }

 private:
  struct Canceller {
    GrpcEventStream* stream;
    void operator()() const { stream->Cancel(); }
  };
  void Run();
  // Reads until the stream ends; nullopt: see the status of the call.
  std::optional<Error> Follow(grpc::ClientReader<proto::Event>& reader);
  void End(Error why);

  const std::shared_ptr<Connection> connection_;
  const std::stop_token stop_;
  std::atomic<bool> cancelled_{false};
  grpc::ClientContext context_;
  BoundedQueue<access::StreamChange> queue_;
  std::mutex mutex_;
  std::optional<Error> end_;
  std::thread thread_;
  std::stop_callback<Canceller> on_stop_;
  bool told_ = false;  // that the stream is superseded; the reader's
};

}  // namespace tw::teleport
