#include "control/commands.h"

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/duration.h"
#include "control/fault_commands.h"
#include "control/request_json.h"

namespace tw::sandbox {
namespace {

using Json = nlohmann::json;
using Strings = std::vector<std::string>;

struct Call {
  Sandbox& sandbox;
  const Json& arguments;
  std::stop_token stop;

  std::string Text(const char* key) const { return arguments.value(key, std::string()); }
  Result<std::chrono::milliseconds> Time(const char* key) const { return ParseDuration(Text(key)); }
};

Json Ok() {
  return Json::object();
}

Result<Json> Done(const Status& status) {
  if (!status) return status.error();
  return Ok();
}

Json Describe(const Sandbox& sandbox, const Request& request) {
  return Json::parse(RequestJson(request, sandbox.LastDelegator(request.id).value_or("")));
}

Result<Json> Shown(const Call& call, const std::string& id) {
  const RequestPtr request = call.sandbox.Find(id);
  if (!request) return Error{ErrorKind::kNotFound, "access request \"" + id + "\" not found", {}, false};
  return Describe(call.sandbox, *request);
}

Result<Json> MakeRequest(const Call& call) {
  NewRequest wanted;
  wanted.id = call.Text("id");
  wanted.user = call.Text("user");
  wanted.roles = call.arguments.value("roles", Strings());
  wanted.reason = call.Text("reason");
  wanted.suggested_reviewers = call.arguments.value("suggested_reviewers", Strings());
  for (const std::string& text : call.arguments.value("resources", Strings())) {
    const auto resource = ParseResource(text);
    if (!resource) return Error::Usage("not a resource: " + text, "write /cluster/kind/name");
    wanted.resources.push_back(*resource);
  }
  if (call.arguments.contains("ttl")) {
    const auto life = call.Time("ttl");
    if (!life) return life.error();
    wanted.life = *life;
  }
  if (call.arguments.contains("access_ttl")) {
    const auto life = call.Time("access_ttl");
    if (!life) return life.error();
    wanted.access_expires = RealClock().Now() + *life;
  }
  const auto approvals = call.arguments.value("approvals", 1U);
  const auto denials = call.arguments.value("denials", 1U);
  if (approvals != 1 || denials != 1) wanted.thresholds = {{"default", approvals, denials}};
  wanted.system_annotations = call.arguments.value("annotations", Annotations());
  const auto id = call.sandbox.Request(std::move(wanted));
  if (!id) return id.error();
  return Json{{"id", *id}};
}

Result<Json> Decide(const Call& call, State state) {
  StateChange change;
  change.id = call.Text("id");
  change.state = state;
  change.reason = call.Text("reason");
  change.delegator = call.Text("delegator");
  change.roles = call.arguments.value("roles", Strings());
  if (const Status ok = call.sandbox.SetState(change); !ok) return ok.error();
  return Shown(call, change.id);
}

Result<Json> Approve(const Call& call) {
  return Decide(call, State::kApproved);
}
Result<Json> Deny(const Call& call) {
  return Decide(call, State::kDenied);
}

Result<Json> SubmitReview(const Call& call) {
  const State proposed = call.arguments.value("deny", false) ? State::kDenied : State::kApproved;
  const auto state =
      call.sandbox.SubmitReview(call.Text("id"), call.Text("author"), proposed, call.Text("reason"));
  if (!state) return state.error();
  return Shown(call, call.Text("id"));
}

Result<Json> Promote(const Call& call) {
  const AccessList list{call.Text("list"), call.Text("title")};
  if (const Status ok = call.sandbox.Promote(call.Text("id"), list, call.Text("reason")); !ok)
    return ok.error();
  return Shown(call, call.Text("id"));
}

Result<Json> Delete(const Call& call) {
  return Done(call.sandbox.Delete(call.Text("id")));
}
Result<Json> Expire(const Call& call) {
  return Done(call.sandbox.Expire(call.Text("id")));
}

Result<Json> Touch(const Call& call) {
  if (const Status ok = call.sandbox.Touch(call.Text("id")); !ok) return ok.error();
  return Shown(call, call.Text("id"));
}

Result<Json> Show(const Call& call) {
  return Shown(call, call.Text("id"));
}

Result<Json> List(const Call& call) {
  ListQuery query;
  query.user = call.Text("user");
  query.sort = Sort::kCreated;
  if (const std::string state = call.Text("state"); !state.empty()) {
    const auto parsed = ParseState(state);
    if (!parsed) return Error::Usage("not a state: " + state, "PENDING, APPROVED, DENIED or PROMOTED");
    query.state = *parsed;
  }
  Json all = Json::array();
  for (const RequestPtr& request : call.sandbox.List(query)) all.push_back(Describe(call.sandbox, *request));
  return all;
}

Result<Json> RunBurst(const Call& call) {
  Burst burst;
  burst.count = call.arguments.value("count", std::size_t{0});
  burst.user = call.arguments.value("user", burst.user);
  burst.roles = call.arguments.value("roles", burst.roles);
  burst.reason = call.Text("reason");
  burst.approve = call.arguments.value("approve", false);
  burst.remove = call.arguments.value("delete", false);
  burst.hold = call.arguments.value("hold", false);
  const auto begun = std::chrono::steady_clock::now();
  const auto made = call.sandbox.MakeBurst(burst, call.stop);
  if (!made) return made.error();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  return Json{{"requests", *made}, {"seconds", took.count()}};
}

Result<Json> SetRole(const Call& call) {
  const Status set = call.sandbox.SetRights(call.Text("user"), call.arguments.value("rights", Strings()));
  if (!set) return Error::Usage(set.error().message);
  return Ok();
}

Result<Json> WriteUser(const Call& call) {
  std::chrono::milliseconds life{0};
  if (call.arguments.contains("ttl")) {
    const auto parsed = call.Time("ttl");
    if (!parsed) return parsed.error();
    life = call.arguments.value("expired", false) ? -*parsed : *parsed;
  }
  return Done(call.sandbox.WriteUser(call.Text("user"), std::chrono::ceil<std::chrono::seconds>(life),
                                     call.arguments.value("impersonated", false),
                                     call.arguments.value("active_requests", Strings())));
}

Result<Json> Rotate(const Call& call) {
  static constexpr std::array<std::pair<std::string_view, RotationPhase>, 3> kPhases{
      {{"update-clients", RotationPhase::kUpdateClients},
       {"update-servers", RotationPhase::kUpdateServers},
       {"standby", RotationPhase::kStandby}}};
  const std::string name = call.Text("phase");
  for (const auto& [text, phase] : kPhases) {
    if (text != name) continue;
    if (const Status ok = call.sandbox.Rotate(phase); !ok) return ok.error();
    return Done(call.arguments.value("keep_users", false) ? Status() : call.sandbox.WriteAllUsers());
  }
  return Error::Usage("not a rotation phase: " + name, "update-clients, update-servers or standby");
}

Result<Json> ShowStatus(const Call& call) {
  return Json{{"address", call.sandbox.address().Text()},
              {"release", static_cast<int>(call.sandbox.options().release)},
              {"cluster", call.sandbox.options().cluster},
              {"requests", call.sandbox.requests()},
              {"watchers", call.sandbox.watchers()},
              {"connections", call.sandbox.connections()}};
}

Result<Json> WaitWatchers(const Call& call) {
  const auto timeout = call.Time("timeout");
  if (!timeout) return timeout.error();
  const auto count = call.arguments.value("watchers", std::size_t{0});
  if (!call.sandbox.WaitForWatchers(count, *timeout, call.stop)) {
    return Error{ErrorKind::kTimeout, "not as many event streams in that time", {}, true};
  }
  return Ok();
}

Result<Json> RunFault(const Call& call) {
  return Done(HandleFault(call.sandbox, call.arguments.dump()));
}

struct Command {
  std::string_view name;
  Result<Json> (*run)(const Call&);
};

constexpr std::array<Command, 17> kCommands{{{"request", MakeRequest},
                                             {"approve", Approve},
                                             {"deny", Deny},
                                             {"review", SubmitReview},
                                             {"promote", Promote},
                                             {"delete", Delete},
                                             {"expire", Expire},
                                             {"touch", Touch},
                                             {"show", Show},
                                             {"list", List},
                                             {"burst", RunBurst},
                                             {"set-role", SetRole},
                                             {"user", WriteUser},
                                             {"rotate", Rotate},
                                             {"status", ShowStatus},
                                             {"wait-watchers", WaitWatchers},
                                             {"fault", RunFault}}};

Result<Json> Dispatch(const Call& call, const std::function<void()>& stop_asked) {
  const std::string name = call.Text("command");
  if (name == "stop") {
    stop_asked();
    return Ok();
  }
  for (const Command& command : kCommands) {
    if (command.name == name) return command.run(call);
  }
  return Error::Usage("unknown command: " + name);
}

}  // namespace

std::string HandleCommand(Sandbox& sandbox, const std::string& line, const std::function<void()>& stop_asked,
                          std::stop_token stop) {
  Result<Json> result = Ok();
  try {
    const Json arguments = Json::parse(line);
    result = Dispatch({sandbox, arguments, std::move(stop)}, stop_asked);
  } catch (const Json::exception& problem) {
    result = Error::Usage(problem.what());
  }
  Json answer{{"ok", result.has_value()}};
  if (result) {
    answer["result"] = *result;
  } else {
    const Error& error = result.error();
    answer["error"] = {{"exit", ExitCode(error.kind)}, {"message", error.message}, {"hint", error.hint}};
  }
  return answer.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tw::sandbox
