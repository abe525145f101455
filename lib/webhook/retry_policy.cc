#include "webhook/retry_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/duration.h"
#include "base/text.h"
#include "base/url.h"

namespace tw::webhook {
namespace {

// 4xx answers that say more about the moment than about the request.
constexpr std::array kPassing = {401, 403, 404, 407, 408, 409, 423, 425, 429};

struct Reason {
  int status;
  std::string_view text;
};
constexpr std::array kReasons = {
    Reason{400, "Bad Request"},
    Reason{401, "Unauthorized"},
    Reason{403, "Forbidden"},
    Reason{404, "Not Found"},
    Reason{405, "Method Not Allowed"},
    Reason{408, "Request Timeout"},
    Reason{409, "Conflict"},
    Reason{410, "Gone"},
    Reason{413, "Content Too Large"},
    Reason{415, "Unsupported Media Type"},
    Reason{422, "Unprocessable Content"},
    Reason{429, "Too Many Requests"},
    Reason{500, "Internal Server Error"},
    Reason{502, "Bad Gateway"},
    Reason{503, "Service Unavailable"},
    Reason{504, "Gateway Timeout"},
};

std::string StatusWords(int status) {
  const auto* found =
      std::find_if(kReasons.begin(), kReasons.end(), [&](const Reason& r) { return r.status == status; });
  return found == kReasons.end() ? std::to_string(status) : fmt::format("{} {}", status, found->text);
}

std::string_view FailureWord(TransportFailure failure) {
  switch (failure) {
    case TransportFailure::kName:
      return "name";
    case TransportFailure::kConnect:
      return "connect";
    case TransportFailure::kTls:
      return "TLS";
    case TransportFailure::kTimeout:
      return "timeout";
    case TransportFailure::kProxy:
      return "proxy";
    case TransportFailure::kNone:
    case TransportFailure::kOther:
      break;
  }
  return "transport";
}

// Where a redirect points, without its path, which may be secret.
std::string RedirectWords(const HttpAnswer& answer) {
  const std::string_view to = answer.location;
  if (to.empty()) return std::to_string(answer.status);
  const bool other_host = to.starts_with("//") || to.find("://") != std::string_view::npos;
  if (!other_host) return fmt::format("{} to another path there, not followed", answer.status);
  const auto url = ParseUrl(to.starts_with("//") ? "https:" + answer.location : answer.location);
  // "//host" keeps the scheme of the request, which is not known here.
  std::string place = url ? url->Redacted() : "an unreadable place";
  if (url && to.starts_with("//")) place.erase(0, std::string_view("https:").size());
  return fmt::format("{} to {}, not followed", answer.status, place);
}

}  // namespace

Verdict VerdictOfStatus(int status) {
  if (status >= 200 && status < 300) return Verdict::kDelivered;
  if (status == 410) return Verdict::kDisable;
  if (status >= 400 && status < 500) {
    return std::find(kPassing.begin(), kPassing.end(), status) != kPassing.end() ? Verdict::kRetry
                                                                                 : Verdict::kDead;
  }
  return Verdict::kRetry;
}

std::optional<SystemTime> ParseRetryAfter(std::string_view text, SystemTime now) {
  text = Trim(text);
  if (text.empty()) return std::nullopt;
  SystemTime until = now;
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const std::int64_t longest = std::chrono::seconds(kLongestRetryAfter).count();
    until = now + std::chrono::seconds(error == std::errc() ? std::min(seconds, longest) : longest);
  } else {
    const auto date = ParseHttpDate(text);
    if (!date) return std::nullopt;
    until = *date;
  }
  if (until <= now) return std::nullopt;
  return std::min(until, now + kLongestRetryAfter);
}

Judgement Judge(const HttpAnswer& answer, SystemTime now) {
  if (answer.failure != TransportFailure::kNone || answer.status == 0) {
    return {Verdict::kRetry, std::nullopt,
            fmt::format("{}: {}", FailureWord(answer.failure), EscapeControls(answer.error))};
  }
  Judgement judgement{VerdictOfStatus(answer.status), std::nullopt, StatusWords(answer.status)};
  if (answer.status >= 300 && answer.status < 400) judgement.what = RedirectWords(answer);
  if (answer.status == 429 || answer.status == 503)
    judgement.hold_until = ParseRetryAfter(answer.retry_after, now);
  return judgement;
}

}  // namespace tw::webhook
