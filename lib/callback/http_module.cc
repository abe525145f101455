#include "base/module.h"
#include "callback/http_server.h"

namespace tw::callback {

Result<std::unique_ptr<HttpServer>> LoadHttpServer(Logger& log) {
  const auto symbol = LoadModuleSymbol("tw_mhd.so", "tw_mhd_create");
  if (!symbol) return symbol.error();
  using Create = HttpServer* (*)(Logger*);
  return std::unique_ptr<HttpServer>(reinterpret_cast<Create>(*symbol)(&log));
}

}  // namespace tw::callback
