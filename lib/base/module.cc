#include "base/module.h"

#include <dlfcn.h>

namespace tw {

Result<void*> LoadModuleSymbol(const std::string& file, const std::string& symbol) {
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return Error::Failure(std::string("cannot load ") + dlerror(),
                          "reinstall teleport-webhooks: its private modules belong to the program");
  }
  void* address = dlsym(handle, symbol.c_str());
  if (address == nullptr)
    return Error::Failure(file + " lacks " + symbol,
                          "program and module are of different versions: reinstall");
  return address;
}

}  // namespace tw
