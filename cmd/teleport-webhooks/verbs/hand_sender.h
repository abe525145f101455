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

  // Sends one event to one endpoint. An event that cannot be shaped is a report of no attempt. With --dry-run
  // the request is printed, and there is no report. Errors: kCancelled, what keeps anything from being sent,
  // what standard output says.
  Result<std::optional<webhook::SendReport>> Send(const webhook::EndpointPlan& plan,
                                                  const std::string& webhook_id,
                                                  const std::string& event_json);
  // Prints a line about what Send gave, if anything: once it is recorded, since nobody may be reading.
  Status Tell(const webhook::EndpointPlan& plan, const std::string& webhook_id,
              const std::optional<webhook::SendReport>& sent);

  Tally& tally() { return tally_; }

 private:
  webhook::SendReport Unshaped(const Error& error);
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
};

}  // namespace tw::cli
