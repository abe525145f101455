// argv to an Arguments value, by the table of spec.h. Wraps CLI11.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/spec.h"

namespace tw::cli {

struct Arguments {
  const Command* command = nullptr;  // null: none given
  std::map<std::string, std::vector<std::string>, std::less<>> flags;
  std::vector<std::string> positional;

  bool Has(std::string_view flag) const { return flags.find(flag) != flags.end(); }
  std::optional<std::string> Value(std::string_view flag) const;  // the last one given
  std::vector<std::string> Values(std::string_view flag) const;
};

// Errors are kUsage and name the nearest command or flag.
Result<Arguments> Parse(int argc, const char* const* argv);
// What a refused command line says about the output format, and nothing else: its error is told in that.
Arguments FormatOnly(int argc, const char* const* argv);

}  // namespace tw::cli
