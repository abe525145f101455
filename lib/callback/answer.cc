#include "callback/answer.h"

#include <fmt/format.h>

#include "callback/json.h"

namespace tw::callback {
namespace {

void Harden(HttpResponse& response) {
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
}

Answer Mapped(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kUsage:
      return Refusal(400, "bad_request", error.message);
    case ErrorKind::kNotFound:
      return Refusal(404, "not_found", "no such access request, or the plugin's role may not list it");
    case ErrorKind::kConflict:
      if (error.retryable)
        return Refusal(503, "teleport_busy",
                       "somebody changed it at the same moment; it is safe to repeat the call");
      return Refusal(409, "conflict", error.message);
    case ErrorKind::kCredentials:
      return Refusal(502, "teleport_denied",
                     "Teleport refused this program; its log says which right is missing");
    case ErrorKind::kUnreachable:
      return Refusal(503, "teleport_unreachable",
                     "Teleport cannot be reached now; it is safe to repeat the call");
    case ErrorKind::kCancelled:
      return Refusal(503, "draining", "this program is stopping; it is safe to repeat the call");
    case ErrorKind::kTimeout:
      return Refusal(504, "timeout", "Teleport did not answer in time; it is safe to repeat the call");
    default:
      return Refusal(502, "teleport_error", "Teleport answered with an error; the log says more");
  }
}

}  // namespace

Answer Json(int status, std::string body, std::string_view result) {
  Answer out{{status, {}, std::move(body), false}, std::string(result), {}};
  if (!out.response.body.empty()) out.response.headers.emplace_back("Content-Type", "application/json");
  Harden(out.response);
  return out;
}

Answer Refusal(int status, std::string_view code, std::string_view message) {
  Answer out =
      Json(status,
           fmt::format("{{\"error\":{{\"code\":{},\"message\":{}}}}}\n", JsonQuote(code), JsonQuote(message)),
           code);
  out.why = message;
  return out;
}

Answer FromError(const Error& error) {
  Answer out = Mapped(error);
  if (!error.message.empty()) out.why = error.message;
  return out;
}

Answer Decided(std::string_view request_id, access::RequestState wanted,
               const access::DecisionOutcome& outcome, bool legacy) {
  std::string_view result = wanted == access::RequestState::kApproved ? "approved" : "denied";
  if (!outcome.changed) result = "unchanged";
  if (legacy) return Json(200, {}, result);
  return Json(200,
              fmt::format("{{\"request_id\":{},\"state\":{},\"changed\":{}}}\n", JsonQuote(request_id),
                          JsonQuote(access::StateName(outcome.state)), outcome.changed),
              result);
}

bool IsFinal(int status) {
  return status == 200 || status == 403 || status == 404 || status == 409;
}

}  // namespace tw::callback
