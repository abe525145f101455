#include "webhook/retry_policy.h"

#include <gmock/gmock.h>

#include <set>

#include "base/duration.h"
#include "fakes/fake_transport.h"

namespace tw::webhook {
namespace {

using namespace std::chrono_literals;
using fakes::Status;
using testing::HasSubstr;
using testing::Not;

const SystemTime kNow = ParseTime("2026-11-22T10:00:00Z").value();

// A form of Retry-After and how long it holds (zero: not at all).
struct Form {
  std::string text;
  std::chrono::milliseconds hold;
};
const std::vector<Form> kForms = {{"", 0ms},
                                  {"0", 0ms},
                                  {"1", 1s},
                                  {"120", 2min},
                                  {" 120 ", 2min},
                                  {"86400", 24h},
                                  {"86401", 24h},
                                  {"99999999999999999999999999", 24h},
                                  {"-5", 0ms},
                                  {"+5", 0ms},
                                  {"1.5", 0ms},
                                  {"soon", 0ms},
                                  {"Sun, 22 Nov 2026 10:01:00 GMT", 1min},
                                  {"Sunday, 22-Nov-26 10:01:00 GMT", 1min},
                                  {"Sun Nov 22 10:01:00 2026", 1min},
                                  {"Sun, 22 Nov 2026 09:59:59 GMT", 0ms},
                                  {"Sun, 06 Nov 1994 08:49:37 GMT", 0ms},
                                  {"Sat, 01 Jan 2028 00:00:00 GMT", 24h},
                                  {"Sun, 32 Nov 2026 10:01:00 GMT", 0ms}};

Verdict Expected(int status) {
  static const std::set<int> kRetried = {401, 403, 404, 407, 408, 409, 423, 425, 429};
  if (status >= 200 && status < 300) return Verdict::kDelivered;
  if (status == 410) return Verdict::kDisable;
  if (status >= 400 && status < 500 && !kRetried.contains(status)) return Verdict::kDead;
  return Verdict::kRetry;
}

TEST(RetryPolicy, JudgesEveryStatusWithEveryFormOfRetryAfter) {
  for (int status = 100; status <= 599; ++status) {
    for (const Form& form : kForms) {
      const Judgement judgement = Judge(Status(status, form.text), kNow);
      EXPECT_EQ(judgement.verdict, Expected(status)) << status;
      const bool holds = (status == 429 || status == 503) && form.hold > 0ms;
      ASSERT_EQ(judgement.hold_until.has_value(), holds) << status << " " << form.text;
      if (holds) {
        EXPECT_EQ(*judgement.hold_until - kNow, form.hold) << status << " " << form.text;
      }
    }
  }
}

TEST(RetryPolicy, RetriesWhenNoAnswerCame) {
  for (const TransportFailure failure :
       {TransportFailure::kName, TransportFailure::kConnect, TransportFailure::kTls,
        TransportFailure::kTimeout, TransportFailure::kProxy, TransportFailure::kOther}) {
    HttpAnswer answer;
    answer.failure = failure;
    answer.error = "the words of the library";
    const Judgement judgement = Judge(answer, kNow);
    EXPECT_EQ(judgement.verdict, Verdict::kRetry);
    EXPECT_FALSE(judgement.hold_until);
    EXPECT_THAT(judgement.what, HasSubstr("the words of the library"));
    answer.error = "\x1b[2J";
    EXPECT_THAT(Judge(answer, kNow).what, Not(HasSubstr("\x1b")));
  }
}

TEST(RetryPolicy, SaysWhatHappenedInWords) {
  EXPECT_EQ(Judge(Status(200), kNow).what, "200");
  EXPECT_EQ(Judge(Status(503), kNow).what, "503 Service Unavailable");
  EXPECT_EQ(Judge(Status(599), kNow).what, "599");
}

TEST(RetryPolicy, NamesTheTargetOfARedirectWithoutItsSecretPath) {
  HttpAnswer answer = Status(301);
  answer.location = "https://user:password@other.example.com/secret?token=1";
  const std::string what = Judge(answer, kNow).what;
  EXPECT_THAT(what, HasSubstr("301 to https://other.example.com"));
  EXPECT_THAT(what, Not(HasSubstr("secret")));
  EXPECT_THAT(what, Not(HasSubstr("password")));
  answer.location = "//other.example.com/secret";
  EXPECT_EQ(Judge(answer, kNow).what, "301 to //other.example.com/***, not followed");
  answer.location = "/secret/";
  EXPECT_EQ(Judge(answer, kNow).what, "301 to another path there, not followed");
  answer.location = "ftp://other.example.com/secret";
  EXPECT_EQ(Judge(answer, kNow).what, "301 to an unreadable place, not followed");
  answer.location.clear();
  EXPECT_EQ(Judge(answer, kNow).what, "301");
  answer.location = "\x1b[31m relative";
  EXPECT_THAT(Judge(answer, kNow).what, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace tw::webhook
