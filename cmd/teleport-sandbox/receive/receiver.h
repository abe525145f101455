// The request bin: takes webhooks, checks their signature, misbehaves as told, prints them and remembers the
// last hundred for its page. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "crypto/webhook_signature.h"
#include "receive/http_bin.h"

namespace tw::sandbox {

struct Misbehaviour {
  int status = 200;                    // of every answer
  std::chrono::milliseconds delay{0};  // before every answer
  double fail_rate = 0;                // this share of requests fails
  std::uint64_t fail_first = 0;        // so many requests fail at first
  int fail_status = 503;
  std::optional<std::chrono::seconds> retry_after;  // on answers that fail
};

// A webhook as it came in, with what became of it.
struct Received {
  std::uint64_t number = 0;  // counted from 1
  SystemTime when;
  Incoming request;
  std::optional<crypto::SignatureVerdict> verdict;  // only when there are keys
  int answered = 0;
};

class Receiver {
 public:
  using Sink = std::function<void(const Received&)>;  // one at a time, in the order of `number`

  // `keys` empty: signatures are not checked. Borrows clock and random. `sink` is called before the answer
  // goes out.
  Receiver(Misbehaviour misbehaviour, std::vector<crypto::WebhookKey> keys, Clock& clock, Random& random,
           Sink sink)
      : misbehaviour_(misbehaviour),
        keys_(std::move(keys)),
        clock_(clock),
        random_(random),
        sink_(std::move(sink)) {}

  Reply Take(Incoming incoming);
  void Stop() { stop_.request_stop(); }  // ends delays
  std::uint64_t count() const;
  std::vector<Received> Last() const;  // newest first, at most a hundred

 private:
  bool FailsLocked();

  const Misbehaviour misbehaviour_;
  const std::vector<crypto::WebhookKey> keys_;
  Clock& clock_;
  Random& random_;
  const Sink sink_;
  std::stop_source stop_;
  mutable std::mutex mutex_;
  std::uint64_t count_ = 0;
  std::deque<Received> last_;
};

}  // namespace tw::sandbox
