// What a callback's body asks for, in each of its forms (product.md section 5; original-plugin.md A.5). Pure.
// Errors: kUsage, one sentence for the caller that quotes nothing of the body.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/access_request.h"
#include "base/clock.h"
#include "base/result.h"

namespace tw::callback {

struct Ask {
  std::string request_id;                        // as the body names it; empty: not named
  std::optional<access::RequestState> decision;  // kApproved or kDenied, as the body names it
  std::string delegator;
  std::string reason;
  std::vector<std::string> roles;
  access::Annotations annotations;
  std::optional<SystemTime> assume_start_time;
};

// The original's: {"payload":{"ReqID","State","Delegator"}} with Go's reading of keys; RequestID and Reason
// too.
Result<Ask> ParseLegacyBody(std::string_view body);

enum class BodyFormat { kNothing, kJson, kForm, kOther };
// By Content-Type; an empty body is kNothing whatever its type.
BodyFormat FormatOf(std::string_view content_type, std::string_view body);
// `format` is not kOther. JSON: request_id, decision, delegator, reason as strings; roles as list or string;
// annotations as object of strings or lists; assume_start_time in RFC 3339. Form: the same names, roles
// repeated or comma-separated, annotations as annotations.KEY=value. Unknown names are passed over.
Result<Ask> ParseV1Body(BodyFormat format, std::string_view body);

// Does the query of a target ("/path?role=dba") name a field of the body? It is not read there, and passing
// it over would grant more than was meant.
bool QueryNamesFields(std::string_view target);

// "approve", "approved", "deny", "denied" in any case.
std::optional<access::RequestState> ParseDecision(std::string_view word);

}  // namespace tw::callback
