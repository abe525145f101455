#include "receive/receiver.h"

#include "receive/page.h"

namespace tw::sandbox {
namespace {

constexpr std::size_t kRemembered = 100;

}  // namespace

bool Receiver::FailsLocked() {
  if (count_ <= misbehaviour_.fail_first) return true;
  return misbehaviour_.fail_rate > 0 && random_.Unit() < misbehaviour_.fail_rate;
}

Reply Receiver::Take(Incoming incoming) {
  Reply reply;
  if (incoming.method == "GET" && (incoming.path == "/" || incoming.path.starts_with("/?"))) {
    reply.content_type = "text/html; charset=utf-8";
    // Nothing that a webhook carries may run or load here, whatever it holds.
    reply.headers = {{"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"},
                     {"X-Content-Type-Options", "nosniff"}};
    reply.body = RenderPage(Last(), count());
    return reply;
  }
  Received received;
  received.when = clock_.Now();
  received.request = std::move(incoming);
  if (!keys_.empty()) {
    std::vector<crypto::HeaderView> views(received.request.headers.begin(), received.request.headers.end());
    received.verdict = crypto::VerifyWebhook(crypto::WebhookScheme::kStandard, keys_, views,
                                             received.request.body, received.when);
  }
  if (misbehaviour_.delay.count() > 0) clock_.SleepFor(misbehaviour_.delay, stop_.get_token());
  std::lock_guard lock(mutex_);
  received.number = ++count_;
  received.answered = FailsLocked() ? misbehaviour_.fail_status : misbehaviour_.status;
  reply.status = received.answered;
  if (misbehaviour_.retry_after && reply.status >= 300) {
    reply.headers.emplace_back("Retry-After", std::to_string(misbehaviour_.retry_after->count()));
  }
  sink_(received);
  last_.push_front(std::move(received));
  if (last_.size() > kRemembered) last_.pop_back();
  return reply;
}

std::uint64_t Receiver::count() const {
  std::lock_guard lock(mutex_);
  return count_;
}

std::vector<Received> Receiver::Last() const {
  std::lock_guard lock(mutex_);
  return {last_.begin(), last_.end()};
}

}  // namespace tw::sandbox
