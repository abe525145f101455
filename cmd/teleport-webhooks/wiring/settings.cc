#include "wiring/settings.h"

#include <fmt/format.h>
#include <unistd.h>

#include "config/files.h"
#include "jq/jq_program.h"

namespace tw::wiring {
namespace {

void AddFlag(const cli::Arguments& args, std::string_view flag, std::string key, config::LoadInput& input) {
  if (const auto value = args.Value(flag))
    input.flags.push_back({std::move(key), *value, "--" + std::string(flag)});
}

// The compiler costs time to load, so only a configuration with programs has it loaded.
Status CheckProgram(const std::string& program, std::shared_ptr<jq::Compiler>& compiler) {
  if (!compiler) {
    auto loaded = jq::LoadCompiler();
    if (!loaded) return loaded.error();
    compiler = std::move(*loaded);
  }
  return compiler->Check(program);
}

// Whether a verb takes its data from standard input.
bool ReadsStdin(const cli::Arguments& args) {
  return args.positional == std::vector<std::string>{"-"} || args.Value("signature") == "-";
}

bool IsDaemon(const cli::Invocation& invocation) {
  const cli::Command* command = invocation.args().command;
  return command != nullptr && command->name == "serve";
}

}  // namespace

Result<config::LoadInput> GatherInput(const cli::Invocation& invocation, config::Purpose purpose) {
  const cli::Arguments& args = invocation.args();
  const bool daemon = IsDaemon(invocation);
  config::LoadInput input;
  input.environment = config::ProcessEnvironment();
  if (args.Value("config") == "-" && ReadsStdin(args)) {
    return Error::Usage("standard input cannot be both the configuration (-c -) and the data (-)",
                        "name a file for one of them");
  }
  // An unset variable of a script must not mean another file or another cluster than was asked for.
  for (const std::string_view flag : {"config", "addr", "identity"}) {
    if (args.Value(flag) == "") return Error::Usage(fmt::format("--{} is empty", flag), "give it a value");
  }
  auto file = config::FindConfigFile({args.Value("config").value_or(""), !daemon}, input.environment);
  if (!file) return file.error();
  input.file = std::move(*file);
  input.set = args.Values("set");
  AddFlag(args, "addr", "teleport.addr", input);
  AddFlag(args, "identity", "teleport.identity", input);
  if (args.Has("notify-only") && daemon)
    input.flags.push_back({"webhook.notify_only", "true", "--notify-only"});
  if (args.Has("fail-fast")) input.flags.push_back({"teleport.fail_fast", "true", "--fail-fast"});
  if (invocation.debug()) input.flags.push_back({"log.severity", "debug", "--debug"});
  input.insecure_no_tls = args.Has("insecure-no-tls");
  input.purpose = purpose;
  input.check_program = [compiler = std::shared_ptr<jq::Compiler>()](const std::string& program) mutable {
    return CheckProgram(program, compiler);
  };
  return input;
}

std::string FileAdvice(const cli::Invocation& invocation, const config::LoadInput& input) {
  if (input.file) return {};
  if (!IsDaemon(invocation)) {
    return "no configuration file was found, neither ./teleport-webhooks.toml nor "
           "/etc/teleport-webhooks.toml: "
           "name one with -c, or begin with teleport-webhooks configure";
  }
  if (::access("teleport-webhooks.toml", F_OK) == 0) {
    return "serve does not look into the working directory: teleport-webhooks serve -c "
           "teleport-webhooks.toml";
  }
  return "no configuration file was found (/etc/teleport-webhooks.toml): name one with -c, or begin with "
         "teleport-webhooks configure";
}

Error ConfigError(const cli::Invocation& invocation, const config::LoadInput& input,
                  const config::LoadResult& result) {
  Error error = result.ToError();
  if (error.hint.empty()) error.hint = FileAdvice(invocation, input);
  return error;
}

Result<config::Settings> LoadSettings(const cli::Invocation& invocation, config::Purpose purpose,
                                      config::FileCheck file_check, const Warn& warn) {
  auto input = GatherInput(invocation, purpose);
  if (!input) return input.error();
  input->file_check = file_check;
  config::LoadResult result = config::Load(*input);
  for (const config::Problem& warning : result.warnings)
    warn ? warn(warning.Text()) : invocation.Note("warning: " + warning.Text());
  if (!result.settings) return ConfigError(invocation, *input, result);
  return std::move(*result.settings);
}

}  // namespace tw::wiring
