// What a receiver answers: status (first line), Retry-After (second), Location (the rest). Holds stay within
// a day, and what is told of a redirect shows neither path nor query.
#include <charconv>

#include "fuzz.h"
#include "webhook/retry_policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tw;
  using namespace tw::webhook;
  std::string_view rest = fuzz::AsText(data, size);
  const std::string_view status = fuzz::TakeLine(rest);
  const SystemTime now{std::chrono::seconds(1'795'000'000)};
  HttpAnswer answer;
  std::from_chars(status.data(), status.data() + status.size(), answer.status);
  answer.retry_after = std::string(fuzz::TakeLine(rest));
  answer.location = answer.error = std::string(rest);
  const auto until = ParseRetryAfter(answer.retry_after, now);
  FUZZ_CHECK(!until || (*until > now && *until <= now + kLongestRetryAfter));
  const Judgement judgement = Judge(answer, now);
  FUZZ_CHECK(fuzz::Harmless(judgement.what) && !judgement.what.empty());
  const bool holding = answer.status == 429 || answer.status == 503;
  FUZZ_CHECK(judgement.hold_until == (holding ? until : std::nullopt));
  if (answer.status != 0) {
    FUZZ_CHECK(judgement.verdict == VerdictOfStatus(answer.status));
    FUZZ_CHECK((judgement.verdict == Verdict::kDelivered) == (answer.status / 100 == 2));
  }
  if (answer.status == 0) return 0;
  const auto path = rest.find('/', 8);
  if (path == std::string_view::npos || rest.size() - path < 12) return 0;
  // The host, which is told, may look like what begins at the slash after it.
  std::string told = judgement.what;
  if (const auto host = told.find("//"); host != std::string::npos)
    told.erase(host, told.find_first_of("/ ", host + 2) - host);
  FUZZ_CHECK(told.find(rest.substr(path)) == std::string::npos);
  return 0;
}
