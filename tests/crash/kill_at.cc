// Preloaded into the daemon by the crash test: kills the process at the N-th call of one kind, before or
// after it. KILL_ON = pwrite64 | fdatasync | send | recv, KILL_AT = N (from 1), KILL_AFTER = 1 to let the
// call happen first.
#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace {

std::atomic<long> calls{0};

bool Is(const char* name, const char* value) {
  const char* set = std::getenv(name);
  return set != nullptr && std::strcmp(set, value) == 0;
}

bool Hit(const char* kind) {
  const char* at = std::getenv("KILL_AT");
  return at != nullptr && Is("KILL_ON", kind) && ++calls == std::atol(at);
}

template <class Call>
auto Around(const char* kind, Call call) {
  const bool now = Hit(kind);
  if (now && !Is("KILL_AFTER", "1")) ::kill(::getpid(), SIGKILL);
  const auto result = call();
  if (now) ::kill(::getpid(), SIGKILL);
  return result;
}

template <class F>
F Real(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  static const auto real = Real<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  return Around("pwrite64", [&] { return real(fd, data, size, at); });
}

int fdatasync(int fd) {
  static const auto real = Real<int (*)(int)>("fdatasync");
  return Around("fdatasync", [&] { return real(fd); });
}

ssize_t send(int fd, const void* data, size_t size, int flags) {
  static const auto real = Real<ssize_t (*)(int, const void*, size_t, int)>("send");
  return Around("send", [&] { return real(fd, data, size, flags); });
}

ssize_t recv(int fd, void* data, size_t size, int flags) {
  static const auto real = Real<ssize_t (*)(int, void*, size_t, int)>("recv");
  return Around("recv", [&] { return real(fd, data, size, flags); });
}

}  // extern "C"
