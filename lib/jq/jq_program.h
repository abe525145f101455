// jq programs in process. A Program belongs to one thread at a time; a Compiler may be used from any thread.
// Programs see no libraries, no environment variables and no other input than the text they are given;
// `halt`, `halt_error` and `stderr` have no effect on the process. A run is stopped after kRunLimit; one long
// built-in function cannot be stopped in between. Numbers are doubles: integers beyond 2^53 lose digits.
// libjq is loaded when the Compiler is first asked for (module tw_jq_module).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tw::jq {

inline constexpr std::chrono::milliseconds kRunLimit{200};

class Program {
 public:
  virtual ~Program() = default;
  // The first result as compact JSON; nullopt when there is none. Error: kFailure with the program's origin
  // in front: the input is not JSON, the program failed on it, or ran too long.
  virtual Result<std::optional<std::string>> First(std::string_view json) = 0;
  // The result as compact JSON. Also an error: no result, or more than one.
  virtual Result<std::string> Only(std::string_view json) = 0;
  // Hands every result to `visit`, in order, until it returns false.
  using Visitor = bool (*)(void* context, std::string result);
  virtual Status Each(std::string_view json, Visitor visit, void* context) = 0;
};

// jq's truth: anything but false and null.
inline bool IsTruthy(const std::optional<std::string>& result) {
  return result && *result != "false" && *result != "null";
}

class Compiler {
 public:
  virtual ~Compiler() = default;
  // `origin` names the place of the program in messages, e.g. "teleport-webhooks.toml:12: webhook.when".
  // Takes about 25 ms. Error: kConfig with origin and jq's own words. Programs may outlive their compiler.
  virtual Result<std::unique_ptr<Program>> Compile(const std::string& program, const std::string& origin) = 0;
  // Does it compile? The next Compile of the same text then costs nothing.
  virtual Status Check(const std::string& program) = 0;
};

// libjq reads the file .jq in $HOME at every compilation, as a library: takes HOME out of the environment. To
// be called before other threads look into the environment; LoadCompiler calls it too, which then does
// nothing.
void ForgetHome();

// The compiler of this process. Error: the module is missing.
Result<std::shared_ptr<Compiler>> LoadCompiler();

}  // namespace tw::jq
