#include "cli/interrupt.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <csignal>

namespace tw::cli {
namespace {

constexpr int kTimeoutExit = 124;
constexpr int kSignalExit = 128;
// What ends does not take longer, unless it stands still where no token reaches it: in a write to a pipe that
// nobody reads.
constexpr std::chrono::seconds kGrace{5};

sigset_t HandledSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, signal);
  return set;
}

// As nohup leaves it: a one-shot verb then outlives its terminal.
bool HangupIsIgnored() {
  struct sigaction action {};
  return sigaction(SIGHUP, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

void BlockSignals() {
  const sigset_t set = HandledSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

Interrupt::Interrupt(std::optional<std::chrono::milliseconds> timeout, std::function<void(int)> on_signal)
    : on_signal_(std::move(on_signal)) {
  const sigset_t set = HandledSignals();
  signals_.Reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  wake_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (timeout) until_ = Clock::now() + *timeout;
  thread_ = std::thread([this] { Loop(); });
}

Interrupt::~Interrupt() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
  thread_.join();
}

std::optional<int> Interrupt::exit_code() const {
  const int code = exit_code_;
  return code == 0 ? std::nullopt : std::optional(code);
}

void Interrupt::End(int code) {
  if (exit_code_ != 0) ::_exit(exit_code_);
  exit_code_ = code;
  until_ = Clock::now() + kGrace;
  stop_.request_stop();
}

void Interrupt::Take(int signal) {
  if (on_signal_) return on_signal_(signal);
  const bool hangup = signal == SIGHUP && !HangupIsIgnored();  // the terminal has gone
  if (signal == SIGTERM || signal == SIGINT || hangup) End(kSignalExit + signal);
}

void Interrupt::Loop() {
  while (true) {
    int wait = -1;
    if (until_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until_ - Clock::now()).count();
      wait = static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
    }
    pollfd fds[2] = {{signals_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    if (::poll(fds, 2, wait) > 0 && fds[1].revents != 0) return;
    const bool ended_itself = stop_.stop_requested() && exit_code_ == 0;
    if (ended_itself) until_.reset();
    if (until_ && Clock::now() >= *until_) End(kTimeoutExit);
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) Take(static_cast<int>(info.ssi_signo));
  }
}

}  // namespace tw::cli
