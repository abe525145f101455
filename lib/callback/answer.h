// The answers of the callback listener: one table from what happened to status, code and words
// (product.md section 5). Pure.
#pragma once

#include <string>
#include <string_view>

#include "access/decision.h"
#include "base/error.h"
#include "callback/http_server.h"

namespace tw::callback {

// An answer together with the word that audit and metrics know it by.
struct Answer {
  HttpResponse response;
  std::string result;
  std::string why;  // of a refusal, for the log
};

// JSON {"error":{"code","message"}} with the headers every answer carries. The code is the result.
Answer Refusal(int status, std::string_view code, std::string_view message);
// For errors of the decision service. Words that come from Teleport or name its address stay in the log.
Answer FromError(const Error& error);
// 200: JSON for /v1, nothing for the original's route.
Answer Decided(std::string_view request_id, access::RequestState wanted,
               const access::DecisionOutcome& outcome, bool legacy);
Answer Json(int status, std::string body, std::string_view result);
// 200, 403, 404 and 409 will not change by asking again.
bool IsFinal(int status);

}  // namespace tw::callback
