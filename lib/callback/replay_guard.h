// ReplayGuard: a signed callback acts once. Answers that are final are remembered by caller and webhook-id; a
// repetition gets the first answer, the same id with another body a conflict (product.md section 5).
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "callback/answer.h"
#include "callback/ports.h"

namespace tw::callback {

// Any thread. The references must outlive it.
class ReplayGuard {
 public:
  ReplayGuard(ReplayMemory& memory, Clock& clock, Logger& log) : memory_(memory), clock_(clock), log_(log) {}

  // Runs `act` unless the id is known. Two at once with one id: the second waits for the first, until
  // `deadline` (504). A memory that cannot be read refuses (503): acting twice is worse.
  Answer Once(const std::string& caller, const std::string& webhook_id, std::string_view body,
              SteadyTime deadline, const std::function<Answer()>& act);

 private:
  using Key = std::pair<std::string, std::string>;

  Answer Recall(const Key& key, const std::string& digest, const std::function<Answer()>& act);

  ReplayMemory& memory_;
  Clock& clock_;
  Logger& log_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::set<Key> busy_;  // bounded by the server's workers
};

}  // namespace tw::callback
