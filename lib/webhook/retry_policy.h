// What the outcome of an attempt means for its delivery and for the endpoint (product.md section 4). Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "webhook/http_transport.h"

namespace tw::webhook {

enum class Verdict {
  kDelivered,  // any 2xx
  kRetry,      // may succeed later
  kDead,       // the same bytes will be refused again
  kDisable,    // 410: the receiver wants no more
};

struct Judgement {
  Verdict verdict = Verdict::kRetry;
  // 429 and 503 with Retry-After: nothing goes to the endpoint before this.
  std::optional<SystemTime> hold_until;
  std::string
      what;  // "200", "503 Service Unavailable", "302 to https://other.example.com", "connect: refused"
};

// The longest a Retry-After is obeyed.
inline constexpr std::chrono::hours kLongestRetryAfter{24};

Judgement Judge(const HttpAnswer& answer, SystemTime now);
Verdict VerdictOfStatus(int status);
// Retry-After in seconds or as an HTTP date; nullopt when it is neither or lies in the past.
std::optional<SystemTime> ParseRetryAfter(std::string_view text, SystemTime now);

}  // namespace tw::webhook
