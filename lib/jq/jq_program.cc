#include "jq/jq_program.h"

#include "base/module.h"
#include "jq/jq_module.h"

namespace tw::jq {

Result<std::shared_ptr<Compiler>> LoadCompiler() {
  const auto symbol = LoadModuleSymbol("tw_jq_module.so", "TwMakeJqCompiler");
  if (!symbol) return symbol.error();
  return std::shared_ptr<Compiler>(reinterpret_cast<MakeCompiler*>(*symbol)());
}

}  // namespace tw::jq
