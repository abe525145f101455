// The rules between keys. Run before the files of secrets are read, and again after. Internal to the loader.
#pragma once

#include "config/draft.h"
#include "config/load.h"

namespace tw::config {

// Settles what belongs together: credentials of a higher layer replace those of a lower one, and a
// callback_secret from the original's days that cannot be one is dropped with a warning.
void Settle(Drafts& drafts, Report& report);
void Validate(const Drafts& drafts, const LoadInput& input, Report& report);

// validate_endpoint.cc: one receiver; `url_key` is "webhook_url" or "url".
void ValidateEndpoint(const Draft& draft, std::string_view url_key, Report& report);
// validate_callback.cc: listener, authentication, callers.
void ValidateCallbacks(const Drafts& drafts, const LoadInput& input, Report& report);

// Names of a list of sections: there, unique.
void ValidateNames(const std::vector<Draft>& drafts, std::string_view reserved, Report& report);
// A key pair is given whole or not at all.
void RequireBoth(const Draft& draft, std::string_view one, std::string_view other, Report& report);

bool NeedsTeleport(Purpose purpose);
bool NeedsEndpoints(Purpose purpose);

}  // namespace tw::config
