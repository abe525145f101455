// The command tree as data: one table drives parsing, help, suggestions, completions and the man page test.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace tw::cli {

class Invocation;

struct Flag {
  std::string_view name;          // long name without dashes
  char letter = 0;                // short name, 0 when none
  std::string_view value;         // placeholder of the value; empty: a switch
  std::string_view help;          // one line
  std::string_view choices = {};  // "a|b|c" when the value is one of these
  bool repeatable = false;
  std::string_view alias = {};  // second long name, kept working but not shown
};

struct Command {
  std::string_view name;
  std::string_view alias;      // second name, e.g. "start" for "serve"
  std::string_view summary;    // one line, for the list of commands
  std::string_view arguments;  // "ID... | -"; empty when it takes none
  std::string_view examples;   // lines, shown first
  std::vector<Flag> flags;     // without the global ones
  int (*run)(Invocation&);     // returns the exit code
};

const std::vector<Command>& Commands();
const std::vector<Flag>& GlobalFlags();
// By name or alias; null when unknown.
const Command* FindCommand(std::string_view name);

}  // namespace tw::cli
