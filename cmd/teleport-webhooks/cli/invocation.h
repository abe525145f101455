// Invocation: what a verb has to work with: its arguments, where data and words go, and when to stop.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/output.h"
#include "cli/parse.h"

namespace tw::cli {

class Invocation {
 public:
  explicit Invocation(Arguments arguments);

  const Arguments& args() const { return args_; }
  Output& out() { return out_; }
  Format format() const { return format_; }  // text unless -o says otherwise
  bool format_given() const { return args_.Has("output"); }
  bool color() const { return color_; }  // of standard output
  bool quiet() const { return args_.Has("quiet"); }
  bool verbose() const { return args_.Has("verbose") || args_.Has("debug"); }
  bool debug() const { return args_.Has("debug"); }

  // A line on standard error, escaped; nothing with --quiet.
  void Note(std::string_view text) const;
  // The same, also with --quiet.
  void Warn(std::string_view text) const;
  // Tells the error (as JSON with -o json|ndjson) and returns its exit code.
  int Fail(const Error& error) const;

 private:
  Arguments args_;
  Output out_{1};
  Format format_ = Format::kText;
  bool color_ = false;
};

// --timeout, or `fallback`. An error when it is no duration.
Result<std::optional<std::chrono::milliseconds>> TimeoutOf(const Arguments& args,
                                                           std::optional<std::chrono::milliseconds> fallback);

}  // namespace tw::cli
