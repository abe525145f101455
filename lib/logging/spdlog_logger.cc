#include "logging/spdlog_logger.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <functional>
#include <mutex>

#include "base/text.h"
#include "base/unique_fd.h"
#include "logging/format.h"

namespace tw::logging {
namespace {

constexpr mode_t kFileMode = 0640;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
constexpr milliseconds kLongestStall{1000};  // how long a full pipe may hold a thread up

// Takes off `text` what was written. A pipe or socket that others share blocks in write(): it gets no more at
// once than it has room for when it is ready.
int WriteWhole(int fd, std::string_view& text, milliseconds patience) {
  const auto until = steady_clock::now() + patience;
  while (!text.empty()) {
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
    pollfd waiting{fd, POLLOUT, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::max(left, milliseconds(0)).count()));
    if (ready == 0) return EAGAIN;
    const ssize_t count =
        ready < 0 ? -1 : ::write(fd, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR && (errno != EAGAIN || left.count() <= 0)) {
      return errno;
    }
  }
  return 0;
}

// A descriptor of the process, or a file that can be opened again. spdlog serialises the calls.
class FdSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // `note` makes the line that tells how many lines were lost.
  using Note = std::function<std::string(std::uint64_t)>;
  FdSink(int standard, Note note) : note_(std::move(note)), fd_(standard) {}
  FdSink(std::string path, Note note) : note_(std::move(note)), path_(std::move(path)) {}

  Status Open() {
    if (path_.empty()) return {};
    // O_NONBLOCK: a pipe without a reader is an error at once, not a hang.
    UniqueFd fresh(
        ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, kFileMode));
    if (!fresh) {
      return Error::Config(
          fmt::format("cannot open the log file {}: {}", EscapeControls(path_), std::strerror(errno)),
          "check the directory and its permissions, or set log.output = \"stderr\"");
    }
    const std::lock_guard lock(mutex_);
    file_ = std::move(fresh);
    fd_ = file_.get();
    torn_ = false;
    return {};
  }

  int fd() const { return fd_; }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string line(message.payload.data(), message.payload.size());
    line += '\n';
    if (lost_ > 0) line.insert(0, (torn_ ? "\n" : "") + note_(lost_) + '\n');
    std::string_view rest = line;
    // Whoever does not read is waited for once, not with every line.
    const int error = WriteWhole(fd_, rest, lost_ == 0 ? kLongestStall : milliseconds(0));
    torn_ = error != 0 && (torn_ || rest.size() < line.size());
    if (error == 0) {
      lost_ = 0;
    } else if (++lost_ == 1 && fd_ != STDERR_FILENO) {
      const std::string note = fmt::format(
          "teleport-webhooks: cannot write the log {}: {}; lines are dropped until it works again\n",
          path_.empty() ? "on stdout" : EscapeControls(path_), std::strerror(error));
      std::string_view whole = note;
      WriteWhole(STDERR_FILENO, whole, kLongestStall);
    }
  }
  void flush_() override {}

 private:
  const Note note_;
  const std::string path_;
  UniqueFd file_;
  int fd_ = -1;
  std::uint64_t lost_ = 0;
  bool torn_ = false;  // the last that was written is not a whole line
};

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                   spdlog::level::warn, spdlog::level::err};
  return kLevels[static_cast<std::size_t>(level)];
}

class SpdlogLogger final : public ReopenableLogger {
 public:
  SpdlogLogger(const config::LogSettings& settings, const Clock& clock, bool color,
               std::shared_ptr<FdSink> sink)
      : json_(settings.format == config::LogFormat::kJson),
        color_(color),
        clock_(clock),
        sink_(std::move(sink)),
        logger_("", sink_) {
    logger_.set_level(ToSpdlog(settings.severity));
  }

  void Write(LogLevel level, std::string_view message, std::span<const LogField> fields) override {
    if (!logger_.should_log(ToSpdlog(level))) return;
    try {
      const SystemTime now = clock_.Now();
      const std::string line =
          json_ ? FormatJson(now, level, message, fields) : FormatText(now, level, message, fields, color_);
      logger_.log(ToSpdlog(level), spdlog::string_view_t(line));
    } catch (const std::exception&) {
      // Out of memory: the line is lost, the program goes on.
    }
  }

  Status Reopen() override { return sink_->Open(); }
  void SetLevel(LogLevel level) override { logger_.set_level(ToSpdlog(level)); }

 private:
  const bool json_;
  const bool color_;
  const Clock& clock_;
  const std::shared_ptr<FdSink> sink_;
  spdlog::logger logger_;
};

}  // namespace

// The entry point of the private module (base/module.h).
extern "C" __attribute__((visibility("default"))) void tw_spdlog_create(
    const config::LogSettings* settings, const Clock* clock, LoggerOptions options,
    Result<std::unique_ptr<ReopenableLogger>>* out) {
  const bool json = settings->format == config::LogFormat::kJson;
  const auto note = [json, clock](std::uint64_t lost) {
    const LogField fields[] = {{"lines", lost}};
    constexpr std::string_view kMessage = "log lines were lost";
    return json ? FormatJson(clock->Now(), LogLevel::kWarning, kMessage, fields)
                : FormatText(clock->Now(), LogLevel::kWarning, kMessage, fields, false);
  };
  const bool standard = settings->output == "stderr" || settings->output == "stdout";
  auto sink =
      standard ? std::make_shared<FdSink>(settings->output == "stderr" ? STDERR_FILENO : STDOUT_FILENO, note)
               : std::make_shared<FdSink>(settings->output, note);
  if (const Status opened = sink->Open(); !opened) {
    *out = opened.error();
    return;
  }
  const bool color = options.color && !json && ::isatty(sink->fd()) == 1;
  *out = std::make_unique<SpdlogLogger>(*settings, *clock, color, std::move(sink));
}

}  // namespace tw::logging
