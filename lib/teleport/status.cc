#include "teleport/status.h"

#include <fmt/format.h>

#include <optional>

#include "base/text.h"

namespace tw::teleport {
namespace {

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The right that a job needs (section 6.1), for refusals that do not name it themselves.
std::string_view NeededRight(Call call) {
  switch (call) {
    case Call::kWatch:
      return "read on access_request";
    case Call::kList:
    case Call::kGet:
      return "list and read on access_request";
    case Call::kSetState:
      return "update on access_request";
    case Call::kReview:
      return "allow.review_requests";
    default:
      return {};
  }
}

std::string RoleHint(std::string_view right) {
  if (right.empty()) return "check the plugin's role and certificate in Teleport";
  if (right == "allow.review_requests") {
    return "give the plugin's role allow.review_requests.roles that cover every requested role (see "
           "`configure --kind "
           "role-review`)";
  }
  return fmt::format("give the plugin's role a rule with {} (see `configure --kind role`)", right);
}

std::optional<std::string> Quoted(std::string_view text, std::string_view after) {
  std::size_t at = text.find(after);
  if (at == std::string_view::npos) return std::nullopt;
  at += after.size();
  const std::size_t end = text.find('"', at);
  if (end == std::string_view::npos) return std::nullopt;
  return std::string(text.substr(at, end - at));
}

// `access denied to perform action "update" on "access_request"` gives "update on access_request".
std::optional<std::string> NamedRight(std::string_view text) {
  const auto verb = Quoted(text, "action \"");
  const auto resource = Quoted(text, " on \"");
  if (!verb || !resource) return std::nullopt;
  return fmt::format("{} on {}", *verb, *resource);
}

Error Refused(Call call, std::string_view why, std::string hint) {
  return {ErrorKind::kCredentials, fmt::format("Teleport refused to {}: {}", CallWords(call), why),
          std::move(hint), false};
}

Error Conflict(std::string_view message, std::string hint) {
  return {ErrorKind::kConflict, fmt::format("Teleport: {}", message), std::move(hint), false};
}

Error ReviewDenied(std::string_view text, const std::string& shown) {
  if (Has(text, "has already reviewed"))
    return Conflict(shown, "a reviewer counts once; another user has to review");
  if (Has(text, "on behalf of")) {
    return Refused(Call::kReview, shown, "a review is always in the name of the plugin's own Teleport user");
  }
  if (Has(text, "cannot submit reviews")) {
    return Refused(Call::kReview, fmt::format("the right allow.review_requests is missing ({})", shown),
                   RoleHint("allow.review_requests"));
  }
  return Refused(Call::kReview, fmt::format("allow.review_requests does not cover this request ({})", shown),
                 RoleHint("allow.review_requests"));
}

Error Denied(Call call, std::string_view text, const std::string& shown) {
  if (Has(text, "requires MFA") || Has(text, "MFA verification")) {
    return Refused(call, fmt::format("the cluster demands MFA for administrative actions ({})", shown),
                   "use a bot (tbot), or a certificate signed with `tctl auth sign` on the Auth Service host "
                   "itself; both "
                   "are exempt");
  }
  if (Has(text, "has been already")) return Conflict(shown, "somebody decided this request before");
  if (Has(text, "your own access requests")) {
    return Refused(call, shown,
                   "the plugin's Teleport user made this request itself; somebody else has to decide");
  }
  if (Has(text, "client version is unsupported")) return Refused(call, shown, "update this program");
  if (Has(text, "intermediaries are not supported")) {
    return Refused(call, shown, "the certificate file must hold exactly one certificate");
  }
  if (call == Call::kReview && !NamedRight(text)) return ReviewDenied(text, shown);
  const std::string right = NamedRight(text).value_or(std::string(NeededRight(call)));
  if (right.empty()) return Refused(call, shown, RoleHint(right));
  return Refused(call, fmt::format("the right {} is missing ({})", right, shown), RoleHint(right));
}

Error Invalid(Call call, std::string_view text, const std::string& shown) {
  if (Has(text, "(already ")) return Conflict(shown, "somebody decided this request before");
  if (call == Call::kSetState || call == Call::kReview) {
    return {ErrorKind::kUsage, fmt::format("Teleport does not accept this decision: {}", shown), {}, false};
  }
  return {ErrorKind::kFailure,
          fmt::format("Teleport could not {}: {}", CallWords(call), shown),
          {},
          call == Call::kWatch};
}

Error Unimplemented(Call call, std::string_view text, const std::string& shown) {
  if (call == Call::kReview && Has(text, "unknown method")) {
    return {ErrorKind::kFailure, "this Teleport has no access reviews (they came with 6.1)",
            "use mode \"state\", or update Teleport", false};
  }
  if (call == Call::kReview) {
    return {ErrorKind::kUsage, fmt::format("Teleport does not accept this review: {}", shown), {}, false};
  }
  return {ErrorKind::kFailure, fmt::format("this Teleport cannot {}: {}", CallWords(call), shown), {}, false};
}

Error Exhausted(Call call, std::string_view text, const std::string& shown) {
  if (Has(text, "larger than max")) {
    return {ErrorKind::kFailure,
            fmt::format("Teleport's answer is too large to {}: {}", CallWords(call), shown),
            {},
            false};
  }
  return {ErrorKind::kUnreachable, fmt::format("Teleport limits our calls: {}", shown), "try again later",
          true};
}

}  // namespace

std::string_view CallWords(Call call) {
  switch (call) {
    case Call::kPing:
      return "answer a ping";
    case Call::kWatch:
      return "watch access requests";
    case Call::kList:
      return "list access requests";
    case Call::kGet:
      return "look up the access request";
    case Call::kSetState:
      return "set the state of the access request";
    case Call::kReview:
      return "review the access request";
    case Call::kGetRole:
      return "read a role";
  }
  return "do this";
}

Error StatusError(Call call, Code code, std::string_view message) {
  const std::string shown = EscapeControls(message);
  const auto plain = [&](ErrorKind kind, bool retryable) {
    return Error{kind, fmt::format("Teleport could not {}: {}", CallWords(call), shown), {}, retryable};
  };
  switch (code) {
    case Code::kOk:
      return {ErrorKind::kUnreachable, "Teleport ended the stream", {}, true};
    case Code::kInvalidArgument:
      return Invalid(call, message, shown);
    case Code::kDeadlineExceeded:
      return {ErrorKind::kTimeout,
              fmt::format("no answer from Teleport in time (to {})", CallWords(call)),
              {},
              true};
    case Code::kNotFound:
      return {ErrorKind::kNotFound, fmt::format("Teleport: {}", shown),
              call == Call::kGetRole ? "" : "it may be gone, or the plugin's role may not list it", false};
    case Code::kAlreadyExists:
      return Conflict(shown, {});
    case Code::kPermissionDenied:
      return Denied(call, message, shown);
    case Code::kUnauthenticated:
      return Refused(call, shown, "sign a new certificate for the plugin");
    case Code::kResourceExhausted:
      return Exhausted(call, message, shown);
    case Code::kFailedPrecondition:
    case Code::kAborted:
      // Not that somebody decided: the state is as it was.
      return {ErrorKind::kUnreachable,
              fmt::format("Teleport could not {} because others wrote at the same time: {}", CallWords(call),
                          shown),
              "try again", true};
    case Code::kUnimplemented:
      return Unimplemented(call, message, shown);
    case Code::kUnavailable:
    case Code::kCancelled:
      return {ErrorKind::kUnreachable,
              fmt::format("the connection to Teleport is lost{}{}", shown.empty() ? "" : ": ", shown),
              {},
              true};
    case Code::kUnknown:
    case Code::kInternal:
    case Code::kDataLoss:
      return plain(ErrorKind::kFailure, true);
    default:
      return plain(ErrorKind::kFailure, false);
  }
}

}  // namespace tw::teleport
