#include "callback/mhd/mhd_server.h"

// The entry point of the private module (base/module.h). The caller owns the result.
extern "C" __attribute__((visibility("default"))) tw::callback::HttpServer* tw_mhd_create(tw::Logger* log) {
  return new tw::callback::MhdServer(*log);
}
