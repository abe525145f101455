// HandSender: posts events by hand for `send` and tells what came of each.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "cli/invocation.h"
#include "verbs/tally.h"
#include "webhook/send_once.h"

namespace tw::cli {

class HandSender {
 public:
  HandSender(Invocation& invocation, std::stop_token stop, int retries)
      : invocation_(invocation), stop_(std::move(stop)), retries_(retries) {}

  // Sends (or with --dry-run shows) one event to one endpoint and prints a line about it. An event that
  // cannot be shaped is a report of no attempt. The report is absent with --dry-run. Errors: kCancelled, and
  // what keeps anything from being sent. That the line could not be printed is no error here, since the
  // report is to be recorded first: see told().
  Result<std::optional<webhook::SendReport>> Send(const webhook::EndpointPlan& plan,
                                                  const std::string& webhook_id,
                                                  const std::string& event_json);

  // What standard output said, once it does not take a line: nothing more is to be sent then.
  const Status& told() const { return told_; }
  Tally& tally() { return tally_; }

 private:
  Status Tell(const webhook::EndpointPlan& plan, const std::string& webhook_id,
              const webhook::SendReport& report);
  webhook::SendReport Unshaped(const webhook::EndpointPlan& plan, const std::string& webhook_id,
                               const Error& error);
  Status Show(const webhook::EndpointPlan& plan, const std::string& webhook_id,
              const webhook::HttpCall& call);
  webhook::AttemptView Verbose(const webhook::EndpointPlan& plan) const;

  Invocation& invocation_;
  std::stop_token stop_;
  int retries_;
  RealClock clock_;
  SystemRandom random_;
  std::unique_ptr<webhook::HttpTransport> transport_;
  Tally tally_;
  Status told_;
};

}  // namespace tw::cli
