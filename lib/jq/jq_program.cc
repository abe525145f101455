#include "jq/jq_program.h"

#include <cstdlib>

#include "base/module.h"
#include "jq/jq_module.h"

namespace tw::jq {

void ForgetHome() {
  if (std::getenv("HOME") != nullptr) ::unsetenv("HOME");  // NOLINT(concurrency-mt-unsafe): see the header
}

Result<std::shared_ptr<Compiler>> LoadCompiler() {
  ForgetHome();
  const auto symbol = LoadModuleSymbol("tw_jq_module.so", "TwMakeJqCompiler");
  if (!symbol) return symbol.error();
  return std::shared_ptr<Compiler>(reinterpret_cast<MakeCompiler*>(*symbol)());
}

}  // namespace tw::jq
