#include "service/watch_hub.h"

#include <algorithm>
#include <utility>

#include "service/convert.h"
#include "service/watcher.h"

namespace tw::sandbox {
namespace {

constexpr std::chrono::milliseconds kReorderPatience{200};

grpc::ByteBuffer Buffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

grpc::Status Overflow(Release release) {
  if (AtLeast(release, 15)) {
    return {grpc::StatusCode::UNKNOWN, "failed to process fanout buffer backlog within grace period"};
  }
  return {grpc::StatusCode::INVALID_ARGUMENT, "buffer overflow"};
}

class RefusedStream final : public WatchHub::Reactor {
 public:
  explicit RefusedStream(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

WatchHub::WatchHub(Release release, Faults& faults, Scheduler& scheduler, std::size_t queue_limit)
    : release_(release), faults_(faults), scheduler_(scheduler), queue_limit_(queue_limit) {}

WatchHub::~WatchHub() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  EndAll({Code::kUnavailable, "the server is shutting down", 0});
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return watchers_.empty(); });
}

WatchHub::Reactor* WatchHub::Refuse(const Refusal& refusal) {
  return new RefusedStream(grpc::Status(static_cast<grpc::StatusCode>(refusal.code), refusal.message));
}

WatchHub::Reactor* WatchHub::Open(std::vector<WatchFilter> filters, const proto::Watch& accepted) {
  const StreamFaults faults = faults_.stream();
  auto watcher = std::make_shared<Watcher>(*this, std::move(filters), queue_limit_, Overflow(release_));
  watcher->Own(watcher);
  if (faults.end) watcher->EndAfter(*faults.end);
  {
    std::lock_guard lock(mutex_);
    if (closing_) watcher->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server is shutting down"));
    watchers_.push_back(watcher);
  }
  const grpc::ByteBuffer init = Buffer(InitEvent(release_, accepted));
  if (faults.init_delay.count() == 0) {
    SendInit(watcher, init);
  } else {
    scheduler_.After(faults.init_delay, [this, weak = std::weak_ptr(watcher), init] {
      if (const auto alive = weak.lock()) SendInit(alive, init);
    });
  }
  return watcher.get();
}

void WatchHub::SendInit(const std::shared_ptr<Watcher>& watcher, const grpc::ByteBuffer& init) {
  {
    // Under the lock, so that no change slips in between INIT and the first event.
    std::lock_guard lock(mutex_);
    watcher->Begin(init);
  }
  watcher->Step();
  NotifyRoom();
}

void WatchHub::Forget(const Watcher* watcher) {
  // Notified under the lock: the destructor may be waiting for exactly this.
  std::lock_guard lock(mutex_);
  std::erase_if(watchers_, [&](const auto& one) { return one.get() == watcher; });
  changed_.notify_all();
}

void WatchHub::Expand(const Change& change, std::vector<Item>& out) {
  const StreamFaults faults = faults_.stream();
  if (change.kind == ChangeKind::kDelete) {
    out.push_back({nullptr, Buffer(DeleteEvent(change.id))});
  } else {
    if (change.created && faults_.Take(&StreamFaults::drop_puts)) return;
    if (change.created && faults_.Take(&StreamFaults::delete_first)) {
      out.push_back({nullptr, Buffer(DeleteEvent(change.id))});
    }
    out.push_back({change.request, Buffer(PutEvent(*change.request, release_))});
    if (faults.duplicate_puts) out.push_back(out.back());
  }
  if (faults.unknown_members) out.insert(out.begin(), {nullptr, Buffer(UnknownEvent())});
  if (!faults.reorder) return;
  if (held_back_) {
    out.push_back(*std::exchange(held_back_, std::nullopt));
  } else {
    held_back_ = std::move(out.back());
    out.pop_back();
    scheduler_.After(kReorderPatience, [this] { FlushHeldBack(); });
  }
}

void WatchHub::Publish(const Change& change) {
  std::unique_lock lock(mutex_);
  if (watchers_.empty() && !held_back_) return;
  std::vector<Item> items;
  Expand(change, items);
  Send(std::move(lock), items);
}

void WatchHub::FlushHeldBack() {
  std::unique_lock lock(mutex_);
  if (!held_back_) return;
  const std::vector<Item> items{*std::exchange(held_back_, std::nullopt)};
  Send(std::move(lock), items);
}

void WatchHub::PublishUnknown() {
  Send(std::unique_lock(mutex_), {Item{nullptr, Buffer(UnknownEvent())}});
}

void WatchHub::Send(std::unique_lock<std::mutex> lock, const std::vector<Item>& items) {
  const bool held = held_;
  const Watchers watchers = watchers_;
  for (const Item& item : items) {
    for (const auto& watcher : watchers) {
      if (watcher->Wants(item.request)) watcher->Push(item.bytes, held);
    }
  }
  lock.unlock();
  for (const auto& watcher : watchers) watcher->Step();
}

void WatchHub::EndAll(const StreamEnd& end) {
  for (const auto& watcher : Snapshot()) {
    watcher->End(grpc::Status(static_cast<grpc::StatusCode>(end.code), end.message));
    watcher->Step();
  }
}

void WatchHub::ArmEnd(const StreamEnd& end) {
  for (const auto& watcher : Snapshot()) watcher->EndAfter(end);
}

void WatchHub::NotifyRoom() {
  // Under the lock, so that a waiter cannot miss it between its look and its sleep.
  std::lock_guard lock(mutex_);
  changed_.notify_all();
}

void WatchHub::Hold(bool held) {
  held_ = held;
  for (const auto& watcher : Snapshot()) watcher->Step();
}

bool WatchHub::WaitForRoom(std::chrono::milliseconds timeout, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, stop, timeout, [this] {
    return std::ranges::all_of(watchers_, [](const auto& watcher) { return watcher->HasRoom(); });
  });
}

bool WatchHub::WaitForWatchers(std::size_t count, std::chrono::milliseconds timeout, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, stop, timeout, [&] {
    return std::ranges::count_if(watchers_, [](const auto& watcher) { return watcher->begun(); }) >=
           static_cast<std::ptrdiff_t>(count);
  });
}

std::size_t WatchHub::watchers() const {
  const Watchers all = Snapshot();
  return static_cast<std::size_t>(
      std::ranges::count_if(all, [](const auto& watcher) { return watcher->begun(); }));
}

WatchHub::Watchers WatchHub::Snapshot() const {
  std::lock_guard lock(mutex_);
  return watchers_;
}

}  // namespace tw::sandbox
