// approve and deny: decide access requests by id.
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "access/decider.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/text.h"
#include "cli/interrupt.h"
#include "teleport/client.h"
#include "verbs/ids.h"
#include "verbs/tally.h"
#include "verbs/verbs.h"
#include "wiring/settings.h"
#include "wiring/stderr_logger.h"

namespace tw::cli {
namespace {

using access::Decision;
using access::DecisionOutcome;
using access::RequestState;
using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kDefaultTimeout{30};
constexpr std::size_t kLongestDelegator = 128;

std::string LoginName() {
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4096];
  if (getpwuid_r(getuid(), &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr)
    return found->pw_name;
  return "uid-" + std::to_string(getuid());
}

Result<std::string> Delegator(const Arguments& args) {
  std::string name = args.Value("delegator").value_or(LoginName());
  if (name.empty() || name.size() > kLongestDelegator || EscapeControls(name) != name) {
    return Error::Usage("--delegator is empty, too long or holds control characters",
                        "write a name of at most 128 characters");
  }
  return name.starts_with("webhooks:") ? name : "webhooks:" + name;
}

Status ReadAnnotations(const Arguments& args, Decision& decision) {
  for (const std::string& pair : args.Values("annotation")) {
    const auto equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return Error::Usage(fmt::format("--annotation \"{}\" is not KEY=VALUE", EscapeControls(pair)));
    }
    decision.annotations[pair.substr(0, equals)].push_back(pair.substr(equals + 1));
  }
  return {};
}

Status ReadRoles(const Arguments& args, Decision& decision) {
  decision.roles = args.Values("role");
  if (const auto list = args.Value("roles")) {
    for (const std::string_view role : Split(*list, ',')) decision.roles.emplace_back(Trim(role));
  }
  for (const std::string& role : decision.roles) {
    if (role.empty()) return Error::Usage("a role name is empty");
  }
  if (!decision.roles.empty() && decision.state == RequestState::kDenied)
    return Error::Usage("a denial takes no roles", "leave --role out");
  return {};
}

// The decision as the flags describe it, without an id yet. `mode`: what the configuration says.
Result<Decision> ReadDecision(const Arguments& args, RequestState state, config::CallbackMode mode) {
  Decision decision;
  decision.state = state;
  decision.via = "command";
  decision.reason = args.Value("reason").value_or("");
  const std::string named =
      args.Value("mode").value_or(mode == config::CallbackMode::kReview ? "review" : "state");
  decision.mode = named == "review" ? access::DecisionMode::kReview : access::DecisionMode::kState;
  auto delegator = Delegator(args);
  if (!delegator) return delegator.error();
  decision.delegator = std::move(*delegator);
  if (const Status roles = ReadRoles(args, decision); !roles) return roles.error();
  if (const Status annotations = ReadAnnotations(args, decision); !annotations) return annotations.error();
  if (const auto time = args.Value("assume-start-time")) {
    if (state == RequestState::kDenied)
      return Error::Usage("a denial takes no start time", "leave --assume-start-time out");
    const auto parsed = ParseTime(*time);
    if (!parsed) return parsed.error().Within("--assume-start-time");
    decision.assume_start_time = *parsed;
  }
  const bool extras = !decision.roles.empty() || !decision.annotations.empty();
  if (decision.mode == access::DecisionMode::kReview && extras) {
    return Error::Usage("a review takes neither roles nor annotations",
                        "leave them out, or use --mode state");
  }
  return decision;
}

// Decides one request after another and prints a line for each.
class Deciding {
 public:
  Deciding(Invocation& invocation, access::AccessApi& api, Decision decision, std::stop_token stop,
           Logger& log)
      : invocation_(invocation),
        api_(api),
        decider_(api, nullptr, clock_, log),
        decision_(std::move(decision)),
        stop_(std::move(stop)) {}

  // False when no further id should be taken.
  bool Act(const GivenRequest& given) {
    if (given.event && given.event->request.state != RequestState::kPending) {
      invocation_.Note(fmt::format("{}: skipped, the event says {}", given.id,
                                   access::StateName(given.event->request.state)));
      return true;
    }
    decision_.request_id = given.id;
    const auto outcome =
        invocation_.args().Has("dry-run") ? LookOnly() : decider_.Decide(decision_, Limits());
    if (!outcome && outcome.error().kind == ErrorKind::kCancelled) return CutShort();
    outcome ? tally_.Succeeded() : tally_.Failed(outcome.error().kind);
    if (!outcome) last_error_ = outcome.error();
    const Status told = outcome ? Tell(*outcome) : TellFailure(outcome.error());
    if (!told) write_error_ = told.error();
    return told && (outcome || !invocation_.args().Has("stop-on-error"));
  }

  int Finish() const {
    if (write_error_ && !invocation_.out().closed()) return invocation_.Fail(*write_error_);
    // For machines the last line on standard error sums up; for people each failure was told already.
    if (last_error_ && invocation_.format() != Format::kText) {
      if (tally_.exit_code() != ExitCode(ErrorKind::kMixed)) return invocation_.Fail(*last_error_);
      return invocation_.Fail(
          {ErrorKind::kMixed, "some access requests could not be decided", "see the line of each id", false});
    }
    return tally_.exit_code();
  }
  bool any() const { return !tally_.empty(); }

 private:
  // Whoever stops us must not take silence for "nothing happened".
  bool CutShort() const {
    if (!invocation_.args().Has("dry-run"))
      invocation_.Warn(decision_.request_id +
                       ": cut short, it may be decided or not; asking again is harmless");
    return false;
  }

  access::CallLimits Limits() const { return {std::chrono::seconds(15), stop_}; }

  Result<DecisionOutcome> LookOnly() {
    const auto found = api_.Get(decision_.request_id, Limits());
    if (!found) return found.error();
    if (!*found) return Error{ErrorKind::kNotFound, "no access request " + decision_.request_id, {}, false};
    const RequestState now = (*found)->state;
    if (now == RequestState::kPending) return WouldBe((*found)->roles);
    if (now == decision_.state) return DecisionOutcome{now, false};
    return Error{ErrorKind::kConflict,
                 fmt::format("access request {} is already {}", decision_.request_id,
                             AsciiLower(access::StateName(now))),
                 {},
                 false};
  }

  // What would become of a pending request. After a review that is Teleport's to say, so it stays pending.
  Result<DecisionOutcome> WouldBe(const std::vector<std::string>& requested) const {
    for (const std::string& role : decision_.roles) {
      if (std::find(requested.begin(), requested.end(), role) != requested.end()) continue;
      return Error::Usage(fmt::format("role \"{}\" was not requested", EscapeControls(role)),
                          "grant requested roles only");
    }
    const bool review = decision_.mode == access::DecisionMode::kReview;
    return DecisionOutcome{review ? RequestState::kPending : decision_.state, true};
  }

  Status Tell(const DecisionOutcome& outcome) {
    const std::string state = access::StateName(outcome.state);
    const bool dry = invocation_.args().Has("dry-run");
    if (invocation_.format() != Format::kText) {
      Json line = {{"request_id", decision_.request_id}, {"state", state}, {"changed", outcome.changed}};
      if (dry) line["dry_run"] = true;
      return invocation_.out().Line(line.dump());
    }
    const bool waits = outcome.state == RequestState::kPending;
    std::string_view how;
    if (waits) {
      how = !outcome.changed ? " (already reviewed; more reviews are needed)"
            : dry            ? " (would be reviewed; nothing was done)"
                             : " (reviewed; more reviews are needed)";
    } else if (!outcome.changed) {
      how = " (already)";
    } else if (dry) {
      how = " (would be; nothing was done)";
    }
    return invocation_.out().Line(fmt::format("{} {}{}", decision_.request_id, AsciiLower(state), how));
  }

  Status TellFailure(const Error& error) {
    if (invocation_.format() == Format::kText) {
      invocation_.Warn(fmt::format("{}: {}{}", decision_.request_id, error.message,
                                   error.hint.empty() ? "" : " (" + error.hint + ")"));
      return {};
    }
    const Json line = {{"request_id", decision_.request_id},
                       {"error",
                        {{"code", ErrorCode(error.kind)},
                         {"exit", ExitCode(error.kind)},
                         {"message", error.message},
                         {"hint", error.hint}}}};
    return invocation_.out().Line(line.dump(-1, ' ', false, Json::error_handler_t::replace));
  }

  Invocation& invocation_;
  access::AccessApi& api_;
  RealClock clock_;
  access::Decider decider_;
  Decision decision_;
  std::stop_token stop_;
  Tally tally_;
  std::optional<Error> last_error_;
  std::optional<Error> write_error_;
};

int RunDecide(Invocation& invocation, RequestState state) {
  const Arguments& args = invocation.args();
  if (args.positional.empty())
    return invocation.Fail(Error::Usage("no access request named", "give ids, or - for standard input"));
  for (const std::string& id : args.positional) {
    if (id == "-" && args.positional.size() == 1) break;
    if (const Status valid = CheckRequestId(id); !valid) return invocation.Fail(valid.error());
  }
  const auto timeout = TimeoutOf(args, kDefaultTimeout);
  if (!timeout) return invocation.Fail(timeout.error());
  const auto settings = wiring::LoadSettings(invocation, config::Purpose::kTeleport);
  if (!settings) return invocation.Fail(settings.error());
  auto decision = ReadDecision(args, state, settings->callback.mode);
  if (!decision) return invocation.Fail(decision.error());

  const Interrupt interrupt(*timeout);
  wiring::StderrLogger log(invocation);
  RealClock clock;
  auto api = teleport::MakeTeleportClient(settings->teleport, clock, log);
  if (!api) return invocation.Fail(api.error());
  Deciding deciding(invocation, **api, std::move(*decision), interrupt.token(), log);
  const Status read = ForEachRequest(invocation, interrupt.token(),
                                     [&](const GivenRequest& given) { return deciding.Act(given); });
  if (const auto code = interrupt.exit_code()) {
    if (*code == ExitCode(ErrorKind::kTimeout))
      return invocation.Fail(
          {ErrorKind::kTimeout, "the time limit passed", "raise --timeout; 0s is no limit", true});
    return *code;
  }
  if (!read) {
    Error error = read.error();
    if (deciding.any()) error.kind = ErrorKind::kMixed;
    return invocation.Fail(error);
  }
  return deciding.Finish();
}

}  // namespace

int RunApprove(Invocation& invocation) {
  return RunDecide(invocation, RequestState::kApproved);
}
int RunDeny(Invocation& invocation) {
  return RunDecide(invocation, RequestState::kDenied);
}

}  // namespace tw::cli
