// configure: prints the template, the other documents of a set-up, or an upgraded copy of an old
// configuration.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/text.h"
#include "base/unique_fd.h"
#include "config/files.h"
#include "config/load.h"
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

// Where a file may be replaced: behind a link, so that the link stays, and never a device or a pipe.
Result<std::string> Replaceable(const std::string& path) {
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  if (!std::filesystem::exists(status)) return path;
  if (!std::filesystem::is_regular_file(status))
    return Error::Failure(fmt::format("cannot write {}: it is no regular file", EscapeControls(path)));
  const auto place = std::filesystem::canonical(path, failed);
  return failed ? path : place.string();
}

// Beside the target first, then moved or linked into place: a full disk leaves the old file as it was.
Status WriteFile(const std::string& named, std::string_view text, bool force) {
  const auto place = force ? Replaceable(named) : Result<std::string>(named);
  if (!place) return place.error();
  const std::string& path = *place;
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

constexpr std::array kTemplateFlags = {"kind", "addr", "webhook-url", "public-addr", "notify-only"};

Status CheckCombination(const Arguments& args) {
  const bool template_flags = std::any_of(kTemplateFlags.begin(), kTemplateFlags.end(),
                                          [&](const char* flag) { return args.Has(flag); });
  if (args.Has("new-secret") && args.Has("from"))
    return Error::Usage("--new-secret and --from exclude each other");
  if ((args.Has("new-secret") || args.Has("from")) && template_flags) {
    return Error::Usage(
        "--new-secret and --from take none of --kind, --addr, --webhook-url, --public-addr, --notify-only");
  }
  if (args.Has("force") && !args.Has("out")) return Error::Usage("--force needs --out");
  if (args.Value("out") == "") return Error::Usage("--out names no file");
  if (args.Has("notify-only") && args.Has("public-addr"))
    return Error::Usage("--notify-only and --public-addr exclude each other",
                        "without callbacks nobody calls");
  return {};
}

// Which documents have a place for a flag.
struct FlagUse {
  const char* flag;
  std::string_view kinds;
};
constexpr std::array kFlagUses = {FlagUse{"addr", "config|tbot"}, FlagUse{"webhook-url", "config"},
                                  FlagUse{"public-addr", "config"}, FlagUse{"notify-only", "config|role"}};

Status CheckUses(const Arguments& args, std::string_view kind) {
  for (const FlagUse& use : kFlagUses) {
    const auto kinds = Split(use.kinds, '|');
    if (!args.Has(use.flag) || std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) continue;
    return Error::Usage(fmt::format("--{} has no place in the document {}", use.flag, kind),
                        fmt::format("it goes with --kind {}", fmt::join(kinds, " or ")));
  }
  return {};
}

// A template with a value that does not load would only put the mistake off.
Status CheckValues(const Arguments& args) {
  config::LoadInput input;
  input.file = config::SourceText{"template", config::ConfigTemplate({}), std::nullopt};
  for (const auto& [flag, key] : {std::pair{"addr", "teleport.addr"},
                                  {"webhook-url", "webhook.webhook_url"},
                                  {"public-addr", "http.public_addr"}}) {
    if (const auto value = args.Value(flag)) input.flags.push_back({key, *value, fmt::format("--{}", flag)});
  }
  if (input.flags.empty()) return {};
  const config::LoadResult result = config::LoadText(std::move(input));
  return result.problems.empty() ? Status() : Status(result.ToError());
}

// The unit names the program that printed it.
std::string OwnPath() {
  std::error_code failed;
  const std::string path = std::filesystem::read_symlink("/proc/self/exe", failed).string();
  return !failed && ::access(path.c_str(), X_OK) == 0 ? path : config::DocumentOptions{}.program;
}

Result<std::string> MakeDocument(const Arguments& args) {
  const std::string name = args.Value("kind").value_or("config");
  if (const Status uses = CheckUses(args, name); !uses) return uses.error();
  if (const Status values = CheckValues(args); !values) return values.error();
  config::DocumentOptions options;
  options.config.addr = args.Value("addr").value_or("");
  options.config.webhook_url = args.Value("webhook-url").value_or("");
  options.config.public_addr = args.Value("public-addr").value_or("");
  options.config.notify_only = args.Has("notify-only");
  options.program = OwnPath();
  return config::Document(config::ParseDocumentKind(name).value_or(config::DocumentKind::kConfig), options);
}

Result<std::string> MakeUpgrade(Invocation& invocation, const std::string& path) {
  const auto old = config::FindConfigFile({path, true}, {});
  if (!old) return old.error();
  if (!*old) return Error::Config(fmt::format("cannot read {}", EscapeControls(path)));
  auto upgrade = config::UpgradeConfig(**old);
  if (!upgrade) return upgrade.error();
  for (const std::string& note : upgrade->notes) invocation.Note("changed: " + note);
  for (const std::string& todo : upgrade->todo) invocation.Warn("to do: " + todo);
  const bool to_terminal = !invocation.args().Has("out") && invocation.out().terminal();
  if (!to_terminal) return std::move(upgrade->text);
  if (upgrade->shown != upgrade->text)
    invocation.Note("secrets are shown as *** on a terminal; --out FILE writes the copy itself");
  return std::move(upgrade->shown);
}

Result<std::string> MakeText(Invocation& invocation) {
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
