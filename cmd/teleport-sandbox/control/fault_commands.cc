#include "control/fault_commands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/duration.h"
#include "model/release.h"

namespace tw::sandbox {
namespace {

using Json = nlohmann::json;

Result<Code> ReadCode(const Json& arguments, const char* key) {
  const std::string text = arguments.value(key, std::string("unavailable"));
  Code code = Code::kUnavailable;
  if (!ParseCode(text, code)) {
    return Error::Usage("not a gRPC status: " + text, fmt::format("one of {}", fmt::join(CodeNames(), ", ")));
  }
  return code;
}

Result<std::chrono::milliseconds> ReadTime(const Json& arguments, const char* key) {
  return ParseDuration(arguments.value(key, std::string("0")));
}

bool ReadSwitch(const Json& arguments) {
  return arguments.value("on", true);
}

Status EndStreams(Sandbox& sandbox, const Json& arguments) {
  const auto code = ReadCode(arguments, "status");
  if (!code) return code.error();
  const StreamEnd end{*code, arguments.value("message", std::string()),
                      arguments.value("after", std::uint64_t{0})};
  if (arguments.value("always", false)) {
    sandbox.faults().ChangeStream([&](StreamFaults& faults) { faults.end = end; });
  }
  sandbox.EndStreams(end);
  return {};
}

Status InitDelay(Sandbox& sandbox, const Json& arguments) {
  const auto time = ReadTime(arguments, "time");
  if (!time) return time.error();
  sandbox.faults().ChangeStream([&](StreamFaults& faults) { faults.init_delay = *time; });
  return {};
}

template <bool StreamFaults::*member>
Status Switch(Sandbox& sandbox, const Json& arguments) {
  sandbox.faults().ChangeStream([&](StreamFaults& faults) { faults.*member = ReadSwitch(arguments); });
  return {};
}

template <std::uint64_t StreamFaults::*member>
Status Count(Sandbox& sandbox, const Json& arguments) {
  const auto count = arguments.value("count", std::uint64_t{1});
  sandbox.faults().ChangeStream([&](StreamFaults& faults) { faults.*member = count; });
  return {};
}

Status UnknownEvent(Sandbox& sandbox, const Json&) {
  sandbox.PublishUnknownEvent();
  return {};
}

Status ListLag(Sandbox& sandbox, const Json& arguments) {
  const auto time = ReadTime(arguments, "time");
  if (!time) return time.error();
  sandbox.SetListLag(*time);
  return {};
}

Status FailCall(Sandbox& sandbox, const Json& arguments) {
  const auto code = ReadCode(arguments, "status");
  if (!code) return code.error();
  const auto delay = ReadTime(arguments, "delay");
  if (!delay) return delay.error();
  CallFault fault;
  fault.method = arguments.value("method", std::string("*"));
  const auto methods = MethodNames();
  if (fault.method != "*" && std::ranges::count(methods, std::string_view(fault.method)) == 0)
    return Error::Usage("unknown method: " + fault.method,
                        fmt::format("one of *, {}", fmt::join(methods, ", ")));
  fault.code = *code;
  fault.message = arguments.value("message", std::string());
  fault.delay = *delay;
  fault.after_effect = arguments.value("after_effect", false);
  fault.times = arguments.value("times", std::uint64_t{1});
  sandbox.faults().AddCall(std::move(fault));
  return {};
}

Status DropConnections(Sandbox& sandbox, const Json&) {
  sandbox.DropConnections();
  return {};
}

Status RefuseConnections(Sandbox& sandbox, const Json& arguments) {
  const auto time = ReadTime(arguments, "time");
  if (!time) return time.error();
  sandbox.RefuseConnectionsFor(*time);
  return {};
}

Status Mfa(Sandbox& sandbox, const Json& arguments) {
  sandbox.RequireMfa(ReadSwitch(arguments));
  return {};
}

Status ProxyDown(Sandbox& sandbox, const Json& arguments) {
  if (!ReadSwitch(arguments)) return sandbox.ResumeFronts();
  sandbox.SuspendFronts();
  return {};
}

Status Clear(Sandbox& sandbox, const Json&) {
  sandbox.ClearFaults();
  if (const Status ok = sandbox.ResumeFronts(); !ok) return ok;
  return sandbox.AcceptConnections();
}

struct Kind {
  std::string_view name;
  Status (*run)(Sandbox&, const Json&);
};

constexpr std::array<Kind, 15> kKinds{{{"end-streams", EndStreams},
                                       {"init-delay", InitDelay},
                                       {"duplicate-puts", Switch<&StreamFaults::duplicate_puts>},
                                       {"unknown-members", Switch<&StreamFaults::unknown_members>},
                                       {"unknown-event", UnknownEvent},
                                       {"reorder", Switch<&StreamFaults::reorder>},
                                       {"drop-put", Count<&StreamFaults::drop_puts>},
                                       {"delete-first", Count<&StreamFaults::delete_first>},
                                       {"list-lag", ListLag},
                                       {"call", FailCall},
                                       {"drop-connections", DropConnections},
                                       {"refuse", RefuseConnections},
                                       {"mfa", Mfa},
                                       {"proxy-down", ProxyDown},
                                       {"clear", Clear}}};

}  // namespace

Status HandleFault(Sandbox& sandbox, const std::string& json) {
  const Json arguments = Json::parse(json);
  const std::string name = arguments.value("kind", std::string());
  for (const Kind& kind : kKinds) {
    if (kind.name == name) return kind.run(sandbox, arguments);
  }
  return Error::Usage("unknown fault: " + name);
}

}  // namespace tw::sandbox
