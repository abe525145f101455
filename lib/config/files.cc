#include "config/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "base/unique_fd.h"

extern char** environ;

namespace tw::config {
namespace {

constexpr int kLongestWait = 30'000;  // milliseconds for the writer of a pipe
constexpr std::string_view kLocalFile = "teleport-webhooks.toml";

Error Unreadable(const std::string& path, int number) {
  std::string hint;
  if (number == ENOENT) hint = "check the path";
  if (number == EACCES) hint = "let the user that runs this program read it";
  return {ErrorKind::kCredentials,
          fmt::format("cannot read {}: {}", EscapeControls(path), std::strerror(number)), hint, true};
}

Result<SourceText> ReadFd(int fd, const std::string& name) {
  SourceText out;
  out.name = name;
  struct stat info {};
  if (::fstat(fd, &info) == 0) {
    if (S_ISDIR(info.st_mode)) return Unreadable(name, EISDIR);
    if (S_ISREG(info.st_mode)) out.mode = info.st_mode & 07777U;
  }
  char buffer[16 * 1024];
  while (true) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      pollfd waiting{fd, POLLIN, 0};
      if (::poll(&waiting, 1, kLongestWait) > 0) continue;
      return Unreadable(name, ETIMEDOUT);
    }
    if (count < 0) return Unreadable(name, errno);
    if (count == 0) return out;
    out.text.append(buffer, static_cast<std::size_t>(count));
    if (out.text.size() > kMostFileBytes) return Unreadable(name, EFBIG);
  }
}

// O_NONBLOCK: a pipe without a writer must not hold the program up.
UniqueFd OpenToRead(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

Result<std::optional<SourceText>> ReadConfig(const std::string& path) {
  auto text = path == "-" ? ReadFd(STDIN_FILENO, "standard input") : RealFiles().Read(path);
  if (text) return std::optional(*std::move(text));
  Error error = text.error();
  error.kind = ErrorKind::kConfig;
  return error.Within("configuration");
}

bool Exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace

Result<SourceText> RealFiles::Read(const std::string& path) const {
  const UniqueFd fd = OpenToRead(path);
  if (!fd) return Unreadable(path, errno);
  return ReadFd(fd.get(), path);
}

Status RealFiles::Readable(const std::string& path) const {
  const UniqueFd fd = OpenToRead(path);
  if (!fd) return Unreadable(path, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) == 0 && S_ISDIR(info.st_mode)) return Unreadable(path, EISDIR);
  return {};
}

Result<std::optional<SourceText>> FindConfigFile(const FileSearch& search,
                                                 const std::map<std::string, std::string>& environment,
                                                 const std::string& system_file) {
  if (!search.flag.empty()) return ReadConfig(search.flag);
  const auto variable = environment.find("TELEPORT_WEBHOOKS_CONFIG");
  if (variable != environment.end() && !variable->second.empty()) return ReadConfig(variable->second);
  if (search.one_shot && Exists(std::string(kLocalFile))) return ReadConfig(std::string(kLocalFile));
  if (Exists(system_file)) return ReadConfig(system_file);
  return std::optional<SourceText>();
}

std::map<std::string, std::string> ProcessEnvironment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

}  // namespace tw::config
