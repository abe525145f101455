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
  thread_ = std::thread([this, timeout] { Loop(timeout); });
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

void Interrupt::Loop(std::optional<std::chrono::milliseconds> timeout) {
  using Clock = std::chrono::steady_clock;
  const bool limited = timeout.has_value();
  const bool no_hangup = HangupIsIgnored();
  const Clock::time_point give_up = Clock::now() + timeout.value_or(std::chrono::milliseconds(0));
  while (true) {
    int wait = -1;
    if (limited && !stop_.stop_requested()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(give_up - Clock::now()).count();
      wait = static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
    }
    pollfd fds[2] = {{signals_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    const int ready = ::poll(fds, 2, wait);
    if (ready > 0 && fds[1].revents != 0) return;
    if (ready == 0 && limited && Clock::now() >= give_up && !stop_.stop_requested()) {
      exit_code_ = kTimeoutExit;
      stop_.request_stop();
    }
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      const int signal = static_cast<int>(info.ssi_signo);
      if (on_signal_) {
        on_signal_(signal);
      } else if (signal != SIGUSR1 && !(signal == SIGHUP && no_hangup)) {  // HUP: the terminal has gone
        exit_code_ = kSignalExit + signal;
        stop_.request_stop();
      }
    }
  }
}

}  // namespace tw::cli
