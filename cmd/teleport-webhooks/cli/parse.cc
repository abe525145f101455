#include "cli/parse.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <deque>

#include "base/text.h"

namespace tw::cli {
namespace {

// CLI11 writes into these; they must stay where they are while it parses.
struct Slot {
  const Flag* flag = nullptr;
  std::vector<std::string> values;
  bool present = false;
};

std::string OptionNames(const Flag& flag) {
  std::string names = "--" + std::string(flag.name);
  if (!flag.alias.empty()) names += ",--" + std::string(flag.alias);
  if (flag.letter != 0) names += fmt::format(",-{}", flag.letter);
  return names;
}

void AddFlag(CLI::App& app, const Flag& flag, std::deque<Slot>& slots) {
  Slot& slot = slots.emplace_back();
  slot.flag = &flag;
  if (flag.value.empty()) {
    app.add_flag(OptionNames(flag), slot.present)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    return;
  }
  // One value each time it is written: a list option must not swallow the arguments after it.
  app.add_option(OptionNames(flag), slot.values)
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

std::vector<std::string_view> CommandNames() {
  std::vector<std::string_view> names;
  for (const Command& command : Commands()) {
    names.push_back(command.name);
    if (!command.alias.empty()) names.push_back(command.alias);
  }
  return names;
}

Error Unknown(std::string_view what, std::string_view word, const std::string& nearest,
              std::string_view help) {
  return Error::Usage(
      fmt::format("unknown {} \"{}\"", what, EscapeControls(word)),
      nearest.empty() ? fmt::format("see {}", help) : fmt::format("did you mean \"{}\"?", nearest));
}

Error UnknownFlag(std::string_view word, const Command* command) {
  std::vector<std::string> known;
  const auto add = [&](const std::vector<Flag>& flags) {
    for (const Flag& flag : flags) known.push_back("--" + std::string(flag.name));
  };
  add(GlobalFlags());
  if (command != nullptr) add(command->flags);
  const std::vector<std::string_view> views(known.begin(), known.end());
  const std::string_view name = word.substr(0, word.find('='));
  const std::string help = command == nullptr ? "teleport-webhooks --help"
                                              : fmt::format("teleport-webhooks {} --help", command->name);
  return Unknown("flag", name, name.starts_with("--") ? Nearest(name, views) : std::string(), help);
}

Status CheckChoices(const Slot& slot) {
  if (slot.flag->choices.empty()) return {};
  const auto choices = Split(slot.flag->choices, '|');
  for (const std::string& value : slot.values) {
    if (std::find(choices.begin(), choices.end(), value) != choices.end()) continue;
    const std::string nearest = Nearest(value, choices);
    return Error::Usage(fmt::format("--{}: \"{}\" is not one of {}", slot.flag->name, EscapeControls(value),
                                    slot.flag->choices),
                        nearest.empty() ? "" : fmt::format("did you mean \"{}\"?", nearest));
  }
  return {};
}

Status Collect(const std::deque<Slot>& slots, Arguments& out) {
  for (const Slot& slot : slots) {
    if (slot.values.empty() && !slot.present) continue;
    if (const Status known = CheckChoices(slot); !known) return known;
    if (slot.values.size() > 1 && !slot.flag->repeatable) {
      return Error::Usage(fmt::format("--{} is given {} times", slot.flag->name, slot.values.size()),
                          "give it once");
    }
    out.flags[std::string(slot.flag->name)] = slot.values;
  }
  return {};
}

// CLI11 tells of a missing value as "--count: 1 required TEXT missing".
const Flag* FlagWithoutValue(const CLI::ParseError& error, const Command* command) {
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) == nullptr) return nullptr;
  const std::string_view text = error.what();
  const std::string_view name = text.substr(0, text.find(':'));
  const auto find = [&](const std::vector<Flag>& flags) -> const Flag* {
    for (const Flag& flag : flags) {
      if (name == "--" + std::string(flag.name)) return &flag;
    }
    return nullptr;
  };
  const Flag* found = find(GlobalFlags());
  return found != nullptr || command == nullptr ? found : find(command->flags);
}

Error FromParseError(const CLI::ParseError& error, const Command* command) {
  std::string help = command == nullptr ? "see teleport-webhooks --help"
                                        : fmt::format("see teleport-webhooks {} --help", command->name);
  if (const Flag* flag = FlagWithoutValue(error, command)) {
    return Error::Usage(fmt::format("--{} needs a value: --{} {}", flag->name, flag->name,
                                    flag->choices.empty() ? flag->value : flag->choices),
                        std::move(help));
  }
  // Values are text, so only a switch has something to convert: "Could not convert: --dry-run = maybe".
  std::string text = EscapeControls(error.what());
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr)
    text = fmt::format("{}: a switch is given, or given as =true or =false",
                       Trim(text.substr(text.find(':') + 1)));
  return Error::Usage(std::move(text), std::move(help));
}

struct Words {
  std::vector<std::string> parsed;    // what CLI11 is given
  std::vector<std::string> verbatim;  // after "--": never flags
  const Command* command = nullptr;   // the first word that is one, for errors
};

Words ReadWords(int argc, const char* const* argv) {
  Words words;
  int at = 1;
  for (; at < argc && std::string_view(argv[at]) != "--"; ++at) {
    // CLI11 takes the next word, perhaps a --dry-run, for the value of "--reason=", and "=json" for that of
    // "-o=json".
    const std::string_view word = argv[at];
    const std::size_t equals = word.find('=');
    const bool letter = equals == 2 && word[0] == '-' && word[1] != '-';
    const bool empty_value = word.starts_with("--") && equals == word.size() - 1;
    words.parsed.emplace_back(word.substr(0, letter || empty_value ? equals : word.size()));
    if (letter || empty_value) words.parsed.emplace_back(word.substr(equals + 1));
  }
  for (++at; at < argc; ++at) words.verbatim.emplace_back(argv[at]);
  if (!words.parsed.empty() && words.parsed.front() == "help") {
    words.parsed.front() = "--help";
    if (words.parsed.size() == 2 && words.parsed[1] == "help") words.parsed.pop_back();
  }
  for (const std::string& word : words.parsed) {
    if (words.command == nullptr) words.command = FindCommand(word);
  }
  return words;
}

// Puts what no flag took where it belongs: to the arguments, or into an error.
Status TakeArgument(const std::string& word, bool verbatim, Arguments& out) {
  if (!verbatim && word.size() > 1 && word[0] == '-') return UnknownFlag(word, out.command);
  if (out.command == nullptr) {
    if (verbatim) return Error::Usage("no command before \"--\"", "see teleport-webhooks --help");
    return Unknown("command", word, Nearest(word, CommandNames()), "teleport-webhooks --help");
  }
  if (out.command->arguments.empty()) {
    return Error::Usage(
        fmt::format("{} takes no argument, but got \"{}\"", out.command->name, EscapeControls(word)));
  }
  out.positional.push_back(word);
  return {};
}

}  // namespace

std::optional<std::string> Arguments::Value(std::string_view flag) const {
  const auto found = flags.find(flag);
  if (found == flags.end() || found->second.empty()) return std::nullopt;
  return found->second.back();
}

std::vector<std::string> Arguments::Values(std::string_view flag) const {
  const auto found = flags.find(flag);
  return found == flags.end() ? std::vector<std::string>() : found->second;
}

Arguments FormatOnly(int argc, const char* const* argv) {
  Arguments out;
  for (int at = 1; at < argc && std::string_view(argv[at]) != "--"; ++at) {
    std::string_view word = argv[at];
    const bool apart = word == "-o" || word == "--output" || word == "--format";
    if (apart && at + 1 < argc) {
      word = argv[++at];
    } else if (word.starts_with("--output=") || word.starts_with("--format=")) {
      word.remove_prefix(word.find('=') + 1);
    } else if (word.starts_with("-o")) {
      word.remove_prefix(word.starts_with("-o=") ? 3 : 2);
    } else {
      continue;
    }
    out.flags["output"] = {std::string(word)};
  }
  return out;
}

Result<Arguments> Parse(int argc, const char* const* argv) {
  CLI::App app;
  app.set_help_flag("");
  app.allow_extras();
  app.require_subcommand(0, 1);
  std::deque<Slot> slots;
  for (const Flag& flag : GlobalFlags()) AddFlag(app, flag, slots);

  Arguments out;
  for (const Command& command : Commands()) {
    CLI::App* sub = app.add_subcommand(std::string(command.name));
    if (!command.alias.empty()) sub->alias(std::string(command.alias));
    sub->set_help_flag("");
    sub->fallthrough();
    sub->allow_extras();
    for (const Flag& flag : command.flags) AddFlag(*sub, flag, slots);
    sub->final_callback([&out, &command] { out.command = &command; });
  }
  const Words words = ReadWords(argc, argv);
  try {
    app.parse(std::vector<std::string>(words.parsed.rbegin(), words.parsed.rend()));
  } catch (const CLI::ParseError& error) {
    return FromParseError(error, words.command);
  }
  for (const std::string& word : app.remaining(true)) {
    if (const Status taken = TakeArgument(word, false, out); !taken) return taken.error();
  }
  for (const std::string& word : words.verbatim) {
    if (const Status taken = TakeArgument(word, true, out); !taken) return taken.error();
  }
  if (const Status collected = Collect(slots, out); !collected) return collected.error();
  return out;
}

}  // namespace tw::cli
