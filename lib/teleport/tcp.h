// TCP connections to Teleport: resolved and opened within a deadline, and set up so that a dead peer is
// noticed.
#pragma once

#include "base/result.h"
#include "base/unique_fd.h"
#include "base/url.h"
#include "teleport/wait.h"

namespace tw::teleport {

// A connected, non-blocking socket. Every address of the name is tried in turn, each with a fair share of the
// time. Errors: kUnreachable (unknown name, refused, timed out: the message says which and where),
// kCancelled.
Result<UniqueFd> ConnectTcp(const Address& address, Waiter& waiter);

}  // namespace tw::teleport
