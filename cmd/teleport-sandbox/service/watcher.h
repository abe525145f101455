// One event stream as a gRPC reactor: a queue, at most one write under way, one end. Locking: the hub's lock
// may be held while Push is called; Step must be called without any lock, since gRPC may call back from
// within.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "service/watch_hub.h"

namespace tw::sandbox {

class Watcher final : public WatchHub::Reactor {
 public:
  Watcher(WatchHub& hub, std::vector<WatchFilter> filters, std::size_t queue_limit, grpc::Status overflow)
      : hub_(hub), filters_(std::move(filters)), queue_limit_(queue_limit), overflow_(std::move(overflow)) {}

  ~Watcher() override;

  // Keeps the object alive until gRPC is done with it.
  void Own(std::shared_ptr<Watcher> self) { self_ = std::move(self); }

  bool Wants(const RequestPtr& request) const;
  void Begin(grpc::ByteBuffer init);  // events pushed before are not seen
  void Push(const grpc::ByteBuffer& event, bool unlimited);
  void EndAfter(const StreamEnd& end);
  void End(grpc::Status status);  // at once
  void Step();
  bool HasRoom() const;
  bool begun() const;

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  WatchHub& hub_;
  const std::vector<WatchFilter> filters_;
  const std::size_t queue_limit_;
  const grpc::Status overflow_;
  std::shared_ptr<Watcher> self_;
  mutable std::mutex mutex_;
  std::deque<grpc::ByteBuffer> queue_;
  grpc::ByteBuffer writing_;
  bool begun_ = false;
  bool write_under_way_ = false;
  bool finished_ = false;
  std::optional<grpc::Status> end_;  // set: ends as soon as `queue_` is empty
  std::optional<std::uint64_t> events_left_;
  grpc::Status end_when_none_left_;
};

}  // namespace tw::sandbox
