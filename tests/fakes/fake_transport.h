// A transport whose answers the test gives. Submitted calls wait in `calls()` until answered; Poll returns
// what was answered, at once. All methods from any thread.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "webhook/http_transport.h"

namespace tw::fakes {

class FakeTransport final : public webhook::HttpTransport {
 public:
  // Answers each call as it is submitted; nullopt leaves it open.
  using Responder = std::function<std::optional<webhook::HttpAnswer>(const webhook::HttpCall&)>;
  explicit FakeTransport(Responder responder = nullptr) : responder_(std::move(responder)) {}

  void Submit(webhook::HttpCall call) override {
    auto answer = responder_ ? responder_(call) : std::nullopt;
    {
      std::lock_guard lock(mutex_);
      sent_.push_back(call);
      if (answer) {
        answer->id = call.id;
        answers_.push_back(*std::move(answer));
      } else {
        open_.push_back(std::move(call));
        most_open_ = std::max(most_open_, open_.size());
      }
    }
    changed_.notify_all();
  }
  std::vector<webhook::HttpAnswer> Poll(std::chrono::milliseconds wait) override {
    std::unique_lock lock(mutex_);
    if (wait <= std::chrono::milliseconds(0)) ++hasty_polls_;
    changed_.wait_for(lock, std::min(wait, kRealWait), [this] { return woken_ || !answers_.empty(); });
    woken_ = false;
    return std::exchange(answers_, {});
  }
  void Wake() override {
    {
      std::lock_guard lock(mutex_);
      woken_ = true;
    }
    changed_.notify_all();
  }
  void CancelAll() override {
    std::lock_guard lock(mutex_);
    open_.clear();
    answers_.clear();
  }

  // Calls without an answer yet, in the order they were submitted.
  std::vector<webhook::HttpCall> open() const {
    std::lock_guard lock(mutex_);
    return open_;
  }
  std::vector<webhook::HttpCall> sent() const {
    std::lock_guard lock(mutex_);
    return sent_;
  }
  // Polls that were given no time: many of them in a row are a busy loop.
  std::size_t hasty_polls() const {
    std::lock_guard lock(mutex_);
    return hasty_polls_;
  }
  std::size_t most_open() const {
    std::lock_guard lock(mutex_);
    return most_open_;
  }
  void Answer(std::uint64_t id, webhook::HttpAnswer answer) {
    {
      std::lock_guard lock(mutex_);
      std::erase_if(open_, [&](const webhook::HttpCall& call) { return call.id == id; });
      answer.id = id;
      answers_.push_back(std::move(answer));
    }
    changed_.notify_all();
  }
  // False when fewer calls were submitted in time.
  bool WaitForSent(std::size_t count, std::chrono::milliseconds timeout = std::chrono::seconds(20)) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [&] { return sent_.size() >= count; });
  }

 private:
  // The caller's clock may be a fake that does not move while we wait.
  static constexpr std::chrono::milliseconds kRealWait{5};

  Responder responder_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<webhook::HttpCall> open_;
  std::vector<webhook::HttpCall> sent_;
  std::vector<webhook::HttpAnswer> answers_;
  std::size_t most_open_ = 0;
  std::size_t hasty_polls_ = 0;
  bool woken_ = false;
};

inline webhook::HttpAnswer Status(int status, std::string retry_after = {}) {
  webhook::HttpAnswer answer;
  answer.status = status;
  answer.retry_after = std::move(retry_after);
  return answer;
}

}  // namespace tw::fakes
