#include "cli/invocation.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/duration.h"
#include "base/text.h"

namespace tw::cli {
namespace {

void ToStderr(std::string_view text) {
  Output err(2);
  [[maybe_unused]] const Status written = err.Line(text);  // nowhere left to complain
}

Format FormatOf(const Arguments& args) {
  const std::string name = args.Value("output").value_or("text");
  if (name == "json") return Format::kJson;
  return name == "ndjson" ? Format::kNdjson : Format::kText;
}

}  // namespace

Invocation::Invocation(Arguments arguments)
    : args_(std::move(arguments)),
      format_(FormatOf(args_)),
      color_(WantColor(args_.Value("color").value_or("auto"), 1)) {}

void Invocation::Note(std::string_view text) const {
  if (!quiet()) Warn(text);
}

void Invocation::Warn(std::string_view text) const {
  ToStderr(EscapeControls(text));
}

int Invocation::Fail(const Error& error) const {
  const int exit = ExitCode(error.kind);
  if (format_ != Format::kText) {
    const nlohmann::ordered_json body = {
        {"code", ErrorCode(error.kind)}, {"exit", exit}, {"message", error.message}, {"hint", error.hint}};
    const nlohmann::ordered_json line = {{"error", body}};
    ToStderr(line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    return exit;
  }
  // A message of several lines (a configuration with several mistakes) stays one.
  bool first = true;
  for (const std::string_view line : Split(error.message, '\n')) {
    if (line.empty()) continue;
    ToStderr(fmt::format("{}{}", first ? "teleport-webhooks: " : "  ", EscapeControls(line)));
    first = false;
  }
  if (!error.hint.empty()) ToStderr("  " + EscapeControls(error.hint));
  return exit;
}

Result<std::optional<std::chrono::milliseconds>> TimeoutOf(
    const Arguments& args, std::optional<std::chrono::milliseconds> fallback) {
  const auto text = args.Value("timeout");
  if (!text) return fallback;
  const auto duration = ParseDuration(*text);
  if (!duration) return duration.error().Within("--timeout");
  if (duration->count() == 0) return std::optional<std::chrono::milliseconds>();
  return std::optional(*duration);
}

}  // namespace tw::cli
