#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/duration.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "control/socket.h"

namespace tw::sandbox {
namespace {

using Json = nlohmann::ordered_json;

// A burst waits for its readers.
constexpr std::chrono::minutes kCallLimit{30};
constexpr std::chrono::milliseconds kRetry{25};

Result<Json> Ask(const std::string& socket, const std::string& call, std::chrono::milliseconds limit) {
  const auto answer = CallControl(socket, call, limit);
  if (!answer) return answer.error();
  Json json = Json::parse(*answer, nullptr, false);
  if (json.is_discarded()) return Error::Failure("the sandbox gave no sensible answer");
  if (json.value("ok", false)) return json["result"];
  const Json& error = json["error"];
  return Error{static_cast<ErrorKind>(error.value("exit", 1)), error.value("message", ""),
               error.value("hint", ""), false};
}

int WaitReady(const CommandLine& line, const std::string& socket) {
  const auto timeout = ParseDuration(line.timeout);
  if (!timeout) return Fail(timeout.error());
  const auto until = std::chrono::steady_clock::now() + *timeout;
  const std::string call =
      Json{{"command", "wait-watchers"}, {"watchers", line.watchers}, {"timeout", line.timeout}}.dump();
  for (;;) {
    const auto answer = Ask(socket, call, *timeout + std::chrono::seconds(1));
    if (answer) return 0;
    const bool later =
        answer.error().kind == ErrorKind::kUnreachable && std::chrono::steady_clock::now() < until;
    if (!later) return Fail(answer.error());
    std::this_thread::sleep_for(kRetry);
  }
}

}  // namespace

int Fail(const Error& error) {
  fmt::print(stderr, "{}", FormatError(error));
  return ExitCode(error.kind);
}

int RunClient(const CommandLine& line) {
  const std::string socket = (line.dir / "control.sock").string();
  if (line.verb == "wait-ready") return WaitReady(line, socket);
  int code = 0;
  for (const std::string& call : line.calls) {
    const auto result = Ask(socket, call, kCallLimit);
    if (!result) {
      const int failed = Fail(result.error());
      if (code == 0) code = failed;
      continue;
    }
    const std::string text = result->dump();
    fmt::print("{}", line.output == "json" ? text + "\n" : FormatResult(line.verb, text));
  }
  if (std::fflush(stdout) != 0) return Fail(Error::Failure("cannot write to stdout"));
  return code;
}

}  // namespace tw::sandbox
