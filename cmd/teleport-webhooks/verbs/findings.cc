#include "verbs/findings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tw::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string_view SeverityWord(Severity severity) {
  switch (severity) {
    case Severity::kFine:
      return "ok";
    case Severity::kWarning:
      return "warning";
    case Severity::kProblem:
      return "problem";
  }
  return "problem";
}

std::string Mark(Severity severity, const Palette& palette) {
  switch (severity) {
    case Severity::kFine:
      return palette.Green("✓");
    case Severity::kWarning:
      return palette.Yellow("!");
    case Severity::kProblem:
      return palette.Red("✗");
  }
  return "?";
}

}  // namespace

void FindingPrinter::Add(const std::string& area, const Finding& finding) {
  if (finding.severity == Severity::kProblem && finding.kind == ErrorKind::kCancelled) return;
  if (finding.severity == Severity::kWarning) warned_ = true;
  if (finding.severity == Severity::kProblem && exit_code_ == 0) exit_code_ = ExitCode(finding.kind);
  if (invocation_.format() != Format::kText) {
    Json line = {{"area", area},
                 {"severity", SeverityWord(finding.severity)},
                 {"what", finding.what},
                 {"remedy", finding.remedy}};
    if (finding.severity == Severity::kProblem) line["code"] = ErrorCode(finding.kind);
    const std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (invocation_.format() == Format::kJson) {
      json_.push_back(text);
    } else {
      Write(text);
    }
    return;
  }
  const std::string remedy = finding.remedy.empty() ? "" : ": " + EscapeControls(finding.remedy);
  Write(fmt::format("{} {}: {}{}", Mark(finding.severity, Palette(invocation_.color())), area,
                    EscapeControls(finding.what), remedy));
}

void FindingPrinter::Add(const std::string& area, const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) Add(area, finding);
}

void FindingPrinter::Write(std::string_view line) {
  if (written_) written_ = invocation_.out().Line(line);
}

int FindingPrinter::Finish() {
  if (invocation_.format() == Format::kJson) Write(fmt::format("[{}]", fmt::join(json_, ",\n ")));
  if (!written_ && !invocation_.out().closed()) return invocation_.Fail(written_.error());
  if (exit_code_ == 0 && warned_ && invocation_.args().Has("strict")) return ExitCode(ErrorKind::kFailure);
  return exit_code_;
}

}  // namespace tw::cli
