#include "base/module.h"

#include "logging/spdlog_logger.h"

namespace tw::logging {

Result<std::unique_ptr<ReopenableLogger>> MakeLogger(const config::LogSettings& settings, const Clock& clock,
                                                     LoggerOptions options) {
  const auto symbol = LoadModuleSymbol("tw_spdlog.so", "tw_spdlog_create");
  if (!symbol) return symbol.error();
  using Made = Result<std::unique_ptr<ReopenableLogger>>;
  using Create = void (*)(const config::LogSettings*, const Clock*, LoggerOptions, Made*);
  Made made = Error::Failure("no logger");
  reinterpret_cast<Create> (*symbol)(&settings, &clock, options, &made);
  return made;
}

}  // namespace tw::logging
