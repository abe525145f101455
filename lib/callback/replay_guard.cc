#include "callback/replay_guard.h"

#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/webhook_signature.h"

namespace tw::callback {
namespace {

// A timestamp may lie ahead by the tolerance and is then good for twice as long; the rest is for clock steps.
constexpr std::chrono::seconds kMemory = 2 * crypto::kSignatureTolerance + std::chrono::seconds(60);

}  // namespace

Answer ReplayGuard::Once(const std::string& caller, const std::string& webhook_id, std::string_view body,
                         SteadyTime deadline, const std::function<Answer()>& act) {
  const Key key{caller, webhook_id};
  {
    std::unique_lock lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    const Duration left =
        deadline == SteadyTime::max() ? Duration(std::chrono::minutes(1)) : deadline - clock_.Steady();
    if (!freed_.wait_until(lock, now + left, [&] { return !busy_.contains(key); })) {
      return Refusal(504, "timeout", "the same callback is still being worked on");
    }
    busy_.insert(key);
  }
  Answer answer = Recall(key, HexEncode(crypto::Sha256(body)), act);
  {
    std::lock_guard lock(mutex_);
    busy_.erase(key);
  }
  freed_.notify_all();
  return answer;
}

Answer ReplayGuard::Recall(const Key& key, const std::string& digest, const std::function<Answer()>& act) {
  const auto known = memory_.Find(key.first, key.second);
  if (!known) {
    log_.Error("cannot look up earlier callbacks", {{"error", known.error().message}});
    return Refusal(503, "not_ready",
                   "earlier callbacks cannot be looked up now; it is safe to repeat the call");
  }
  RememberedAnswer answer;
  Answer out;
  if (*known) {
    answer = **known;
    if (answer.body_digest != digest) {
      return Refusal(409, "conflict", "this webhook-id was used before with another body");
    }
    out = Json(answer.status, answer.body, "repeated");
  } else {
    out = act();
    if (!IsFinal(out.response.status)) return out;
    answer = {digest, out.response.status, "application/json", out.response.body};
  }
  // Also after a repetition: its timestamp is newer, so it could be replayed for longer.
  if (const Status saved = memory_.Save(key.first, key.second, answer, clock_.Now() + kMemory); !saved) {
    log_.Error("cannot remember the answer to a callback", {{"error", saved.error().message}});
  }
  return out;
}

}  // namespace tw::callback
