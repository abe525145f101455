#include "base/module.h"
#include "webhook/http_transport.h"

namespace tw::webhook {

Result<std::unique_ptr<HttpTransport>> LoadHttpTransport() {
  const auto symbol = LoadModuleSymbol("tw_curl.so", "tw_make_http_transport");
  if (!symbol) return symbol.error();
  const auto make = reinterpret_cast<HttpTransport* (*)()>(*symbol);
  std::unique_ptr<HttpTransport> transport(make());
  if (!transport) return Error::Failure("libcurl could not be initialised");
  return transport;
}

}  // namespace tw::webhook
