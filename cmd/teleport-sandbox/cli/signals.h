// Waits for the end of a foreground verb: SIGINT, SIGTERM or a call of Stop. Make it before any thread, so
// that all threads inherit the blocked signals.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <array>
#include <csignal>
#include <cstdint>

#include "base/unique_fd.h"

namespace tw::sandbox {

class EndSignal {
 public:
  EndSignal() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    signals_.Reset(::signalfd(-1, &set, SFD_CLOEXEC));
    stop_.Reset(::eventfd(0, EFD_CLOEXEC));
  }

  void Stop() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(stop_.get(), &one, sizeof one);
  }

  void Wait() {
    std::array<pollfd, 2> fds{{{signals_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
    while (::poll(fds.data(), fds.size(), -1) < 0) {
    }
  }

 private:
  UniqueFd signals_;
  UniqueFd stop_;
};

}  // namespace tw::sandbox
