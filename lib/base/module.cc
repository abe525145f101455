#include "base/module.h"

#include <dlfcn.h>

#include <filesystem>
#include <system_error>

namespace tw {
namespace {

constexpr const char* kFromProgram = "../lib/teleport-webhooks/modules";

// Where the module lies beside the program, as the run path says; named in full because the sanitizers'
// dlopen does not look at the program's run path.
std::string BesideProgram(const std::string& file) {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return file;
  auto path = program.parent_path() / kFromProgram / file;
  return std::filesystem::exists(path, error) ? path.string() : file;
}

}  // namespace

Result<void*> LoadModuleSymbol(const std::string& file, const std::string& symbol) {
  void* handle = dlopen(BesideProgram(file).c_str(), RTLD_NOW | RTLD_LOCAL);
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
