// configure: prints the template, the other documents of a set-up, or an upgraded copy of an old
// configuration.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/text.h"
#include "base/unique_fd.h"
#include "config/files.h"
#include "config/template.h"
#include "config/upgrade.h"
#include "verbs/verbs.h"

namespace tw::cli {
namespace {

Status WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Error::Failure(std::strerror(errno));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(fd) == 0 ? Status() : Error::Failure(std::strerror(errno));
}

// Beside the target first, then moved or linked into place: a full disk leaves the old file as it was.
Status WriteFile(const std::string& path, std::string_view text, bool force) {
  const std::string beside = fmt::format("{}.{}.new", path, getpid());
  const auto failed = [&](std::string_view what) {
    const Error error = Error::Failure(fmt::format("cannot write {}: {}", EscapeControls(path), what));
    ::unlink(beside.c_str());
    return error;
  };
  UniqueFd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd)
    return Error::Failure(fmt::format("cannot write {}: {}", EscapeControls(path), std::strerror(errno)));
  if (const Status written = WriteAll(fd.get(), text); !written) return failed(written.error().message);
  fd.Reset();
  if (force) {
    if (::rename(beside.c_str(), path.c_str()) != 0) return failed(std::strerror(errno));
    return {};
  }
  if (::link(beside.c_str(), path.c_str()) != 0) {
    const bool there = errno == EEXIST;
    Error error = failed(there ? "it is there already" : std::strerror(errno));
    if (there) error.hint = "choose another name, or overwrite it with --force";
    return error;
  }
  ::unlink(beside.c_str());
  return {};
}

Status CheckCombination(const Arguments& args) {
  const bool template_flags =
      args.Has("webhook-url") || args.Has("public-addr") || args.Has("notify-only") || args.Has("kind");
  if (args.Has("new-secret") && args.Has("from"))
    return Error::Usage("--new-secret and --from exclude each other");
  if ((args.Has("new-secret") || args.Has("from")) && template_flags) {
    return Error::Usage(
        "--new-secret and --from take none of --kind, --webhook-url, --public-addr, --notify-only");
  }
  if (args.Has("force") && !args.Has("out")) return Error::Usage("--force needs --out");
  return {};
}

std::string MakeDocument(const Arguments& args) {
  config::DocumentOptions options;
  options.config.addr = args.Value("addr").value_or("");
  options.config.webhook_url = args.Value("webhook-url").value_or("");
  options.config.public_addr = args.Value("public-addr").value_or("");
  options.config.notify_only = args.Has("notify-only");
  const auto kind = config::ParseDocumentKind(args.Value("kind").value_or("config"));
  return config::Document(kind.value_or(config::DocumentKind::kConfig), options);
}

Result<std::string> MakeUpgrade(const Invocation& invocation, const std::string& path) {
  const auto old = config::FindConfigFile({path, true}, {});
  if (!old) return old.error();
  if (!*old) return Error::Config(fmt::format("cannot read {}", EscapeControls(path)));
  auto upgrade = config::UpgradeConfig(**old);
  if (!upgrade) return upgrade.error();
  for (const std::string& note : upgrade->notes) invocation.Note("changed: " + note);
  for (const std::string& todo : upgrade->todo) invocation.Warn("to do: " + todo);
  return std::move(upgrade->text);
}

Result<std::string> MakeText(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (args.Has("new-secret")) {
    SystemRandom random;
    return config::NewSecret(random) + "\n";
  }
  if (const auto from = args.Value("from")) return MakeUpgrade(invocation, *from);
  return MakeDocument(args);
}

}  // namespace

int RunConfigure(Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (const Status valid = CheckCombination(args); !valid) return invocation.Fail(valid.error());
  const auto text = MakeText(invocation);
  if (!text) return invocation.Fail(text.error());
  if (const auto out = args.Value("out"); out && *out != "-") {
    const Status written = WriteFile(*out, *text, args.Has("force"));
    return written ? 0 : invocation.Fail(written.error());
  }
  const Status written = invocation.out().Write(*text);
  return written || invocation.out().closed() ? 0 : invocation.Fail(written.error());
}

}  // namespace tw::cli
