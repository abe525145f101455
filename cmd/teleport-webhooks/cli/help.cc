#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace tw::cli {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kColumn = 36;  // where the words about a flag begin

// The words of a text, from `kColumn` on, in as many lines as they need.
std::string InColumn(std::string_view text) {
  std::string out;
  std::size_t at = kColumn;
  for (const std::string_view word : Split(text, ' ')) {
    if (at > kColumn && at + 1 + word.size() > kWidth) {
      out += fmt::format("\n{:{}}", "", kColumn);
      at = kColumn;
    } else if (at > kColumn) {
      out += ' ';
      ++at;
    }
    out += word;
    at += word.size();
  }
  return out + '\n';
}

std::string FlagLine(const Flag& flag) {
  std::string left = flag.letter == 0 ? "      " : fmt::format("  -{}, ", flag.letter);
  left += "--" + std::string(flag.name);
  if (!flag.value.empty()) left += " " + std::string(flag.choices.empty() ? flag.value : flag.choices);
  if (left.size() > kColumn - 2) left += fmt::format("\n{:{}}", "", kColumn);
  return fmt::format("{:<{}}{}", left, kColumn,
                     InColumn(std::string(flag.help) + (flag.repeatable ? " (repeatable)" : "")));
}

std::string Indented(std::string_view lines) {
  std::string out;
  for (const std::string_view line : Split(lines, '\n')) {
    if (!line.empty()) out += fmt::format("  {}\n", line);
  }
  return out;
}

}  // namespace

std::string ProgramHelp() {
  std::string out =
      "Carry Teleport access requests to other systems over HTTP, and decisions back.\n\nExamples:\n";
  out += Indented(
      "teleport-webhooks configure > teleport-webhooks.toml     # a template to edit\n"
      "teleport-webhooks check                                  # before going live\n"
      "teleport-webhooks watch | jq 'select(.data.state==\"PENDING\") | .data.user'\n"
      "teleport-webhooks send --test                            # one webhook\n"
      "teleport-webhooks approve 0192e1c4-... --reason 'on call'\n"
      "teleport-webhooks serve -c teleport-webhooks.toml        # the daemon\n");
  out += "\nUsage:\n  teleport-webhooks COMMAND [FLAGS] [ARGUMENTS]\n\nCommands:\n";
  for (const Command& command : Commands()) {
    const std::string name = command.alias.empty() ? std::string(command.name)
                                                   : fmt::format("{} ({})", command.name, command.alias);
    out += fmt::format("  {:<16}{}\n", name, command.summary);
  }
  out += "\nGlobal flags:\n";
  for (const Flag& flag : GlobalFlags()) out += FlagLine(flag);
  out += "\nMore: teleport-webhooks COMMAND --help, and man teleport-webhooks.\n";
  return out;
}

std::string CommandHelp(const Command& command) {
  std::string out = fmt::format("{}.\n\nExamples:\n{}", command.summary, Indented(command.examples));
  out += fmt::format("\nUsage:\n  teleport-webhooks {}{}{}\n", command.name,
                     command.flags.empty() ? "" : " [FLAGS]",
                     command.arguments.empty() ? "" : " " + std::string(command.arguments));
  if (!command.flags.empty()) {
    out += "\nFlags:\n";
    for (const Flag& flag : command.flags) out += FlagLine(flag);
  }
  out += "\nGlobal flags:\n";
  for (const Flag& flag : GlobalFlags()) out += FlagLine(flag);
  return out;
}

}  // namespace tw::cli
