// HandSender: posts events by hand and tells what came of each; shared by `send` and `check --send-test`.
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
  // cannot be shaped is a report of no attempt. The report is absent with --dry-run. Errors: kCancelled; what
  // standard output says.
  Result<std::optional<webhook::SendReport>> Send(const webhook::EndpointPlan& plan,
                                                  const std::string& webhook_id,
                                                  const std::string& event_json);

  Tally& tally() { return tally_; }

 private:
  Status Tell(const webhook::EndpointPlan& plan, const std::string& webhook_id,
              const webhook::SendReport& report);
  Result<std::optional<webhook::SendReport>> Unshaped(const webhook::EndpointPlan& plan,
                                                      const std::string& webhook_id, const Error& error);
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
