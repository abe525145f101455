#include "jq/jq_program.h"

#include <cstdlib>
#include <mutex>

#include "base/module.h"
#include "jq/jq_module.h"

namespace tw::jq {

void ForgetHome() {
  if (std::getenv("HOME") != nullptr) ::unsetenv("HOME");  // NOLINT(concurrency-mt-unsafe): see the header
}

Result<std::shared_ptr<Compiler>> LoadCompiler() {
  ForgetHome();
  static std::mutex mutex;
  static std::shared_ptr<Compiler> loaded;
  std::lock_guard lock(mutex);
  if (loaded) return loaded;
  const auto symbol = LoadModuleSymbol("tw_jq_module.so", "TwMakeJqCompiler");
  if (!symbol) return symbol.error();
  loaded.reset(reinterpret_cast<MakeCompiler*>(*symbol)());
  return loaded;
}

}  // namespace tw::jq
