// What tw_jq_module exports: extern "C" tw::jq::Compiler* TwMakeJqCompiler(). The caller owns the result.
#pragma once

#include "jq/jq_program.h"

namespace tw::jq {

using MakeCompiler = Compiler*();

}  // namespace tw::jq
