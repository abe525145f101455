#include "service/watcher.h"

#include <algorithm>
#include <utility>

namespace tw::sandbox {

bool Watcher::Wants(const RequestPtr& request) const {
  return !request ||
         std::ranges::any_of(filters_, [&](const WatchFilter& filter) { return filter.Matches(*request); });
}

void Watcher::Begin(grpc::ByteBuffer init) {
  std::lock_guard lock(mutex_);
  if (begun_ || end_) return;
  begun_ = true;
  queue_.push_back(std::move(init));
}

void Watcher::Push(const grpc::ByteBuffer& event, bool unlimited) {
  std::lock_guard lock(mutex_);
  if (!begun_ || end_ || finished_) return;
  if (events_left_ && *events_left_ == 0) {
    end_ = end_when_none_left_;
    return;
  }
  if (!unlimited && queue_.size() >= queue_limit_) {
    queue_.clear();
    end_ = overflow_;
    return;
  }
  queue_.push_back(event);
  if (events_left_ && --*events_left_ == 0) end_ = end_when_none_left_;
}

void Watcher::EndAfter(const StreamEnd& end) {
  std::lock_guard lock(mutex_);
  end_when_none_left_ = grpc::Status(static_cast<grpc::StatusCode>(end.code), end.message);
  events_left_ = end.after_events;
}

void Watcher::End(grpc::Status status) {
  std::lock_guard lock(mutex_);
  queue_.clear();
  end_ = std::move(status);
}

void Watcher::Step() {
  std::unique_lock lock(mutex_);
  if (finished_ || write_under_way_) return;
  if (queue_.empty()) {
    if (!end_) return;
    finished_ = true;
    const grpc::Status status = *end_;
    lock.unlock();
    Finish(status);
    return;
  }
  if (hub_.held_) return;
  writing_ = queue_.front();
  queue_.pop_front();
  write_under_way_ = true;
  grpc::WriteOptions options;
  if (!queue_.empty()) options.set_buffer_hint();
  const bool room = queue_.size() == queue_limit_ / 2;
  lock.unlock();
  if (room) hub_.NotifyRoom();
  StartWrite(&writing_, options);
}

bool Watcher::HasRoom() const {
  std::lock_guard lock(mutex_);
  return finished_ || end_ || queue_.size() <= queue_limit_ / 2;
}

bool Watcher::begun() const {
  std::lock_guard lock(mutex_);
  return begun_ && !finished_;
}

void Watcher::OnWriteDone(bool ok) {
  {
    std::lock_guard lock(mutex_);
    write_under_way_ = false;
    if (!ok) {
      queue_.clear();
      if (!end_) end_ = grpc::Status(grpc::StatusCode::CANCELLED, "the client is gone");
    }
  }
  Step();
}

void Watcher::OnCancel() {
  End(grpc::Status(grpc::StatusCode::CANCELLED, "the client cancelled"));
  Step();
}

// Whoever sends may be the last to let go. That gRPC's threads are done by then is known to gRPC alone; the
// lock makes what they wrote visible by itself.
Watcher::~Watcher() {
  const std::lock_guard lock(mutex_);
}

void Watcher::OnDone() {
  hub_.Forget(this);
  const std::shared_ptr<Watcher> last = std::move(self_);
}

}  // namespace tw::sandbox
