#include "base/read_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/unique_fd.h"

namespace tw {
namespace {

// Identity files of large clusters with many CAs stay far below this.
constexpr std::size_t kMostBytes = 1024UL * 1024;
constexpr std::size_t kLeastRoom = 4095;

Error Bad(std::string message) {
  return {ErrorKind::kCredentials, std::move(message), {}, true};
}

Error Unreadable(const std::string& path, int code) {
  if (code == ENOENT) return Bad(fmt::format("{} does not exist", path));
  Error error = Bad(fmt::format("{} cannot be read: {}", path, std::strerror(code)));
  if (code == EACCES) error.hint = "let the user that runs this program read it";
  return error;
}

Error TooLarge(const std::string& path) {
  return Bad(fmt::format("{} is larger than 1 MiB", path));
}

}  // namespace

Result<Secret> ReadFile(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return Unreadable(path, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode))
    return Bad(fmt::format("{} is not a file", path));
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size > kMostBytes) return TooLarge(path);
  // With the room it takes from the start, so that no copy is left behind by growing.
  std::string text(std::max(size, kLeastRoom) + 1, '\0');
  std::size_t filled = 0;
  while (true) {
    const ssize_t got = ::read(fd.get(), text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Unreadable(path, errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
    if (filled > kMostBytes) return TooLarge(path);
    if (filled == text.size()) text.resize(2 * filled);  // it is being written, or tells no size
  }
  if (filled == 0) return Bad(fmt::format("{} is empty", path));
  text.resize(filled);
  return Secret(std::move(text));
}

}  // namespace tw
