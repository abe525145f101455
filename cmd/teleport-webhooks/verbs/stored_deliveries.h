// `send --failed`, `--delivered`, `--delivery ID` and `--discard`: deliveries of the store, sent again or
// dropped.
#pragma once

#include <stop_token>

#include "base/result.h"
#include "cli/invocation.h"
#include "verbs/hand_sender.h"
#include "verbs/send_targets.h"

namespace tw::cli {

// Errors: kUsage, kNotFound (no store, no such delivery), kCancelled, what the store says. Outcomes of single
// deliveries are in the sender's tally.
Status SendStored(Invocation& invocation, const SendTargets& targets, HandSender& sender,
                  std::stop_token stop);

// After a test that the receiver took: a hold that only a person can lift (410) is lifted. Does nothing where
// there is no store.
void LiftHold(const Invocation& invocation, const std::string& state_dir, const std::string& endpoint);

}  // namespace tw::cli
