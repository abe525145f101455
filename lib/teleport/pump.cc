#include "teleport/pump.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <vector>

namespace tw::teleport {
namespace {

using std::chrono::steady_clock;

// Room for several TLS records: fewer, larger system calls under load, and a small fixed price when idle.
constexpr std::size_t kBuffer = 128UL * 1024;
// How long a side may stand still with its last bytes after the other has ended.
constexpr auto kLinger = std::chrono::seconds(2);

class Buffer {
 public:
  Buffer() : bytes_(kBuffer) {}
  bool empty() const { return begin_ == end_; }
  bool full() const { return end_ == bytes_.size(); }
  char* space() { return bytes_.data() + end_; }
  std::size_t room() const { return bytes_.size() - end_; }
  const char* data() const { return bytes_.data() + begin_; }
  std::size_t size() const { return end_ - begin_; }
  void Added(std::size_t count) { end_ += count; }
  void Taken(std::size_t count) {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }

 private:
  std::vector<char> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace

class Pump::Loop {
 public:
  explicit Loop(Pump& pump) : pump_(pump), far_(*pump.far_), near_(pump.near_.get()) {}

  void Run() {
    while (!over()) {
      moved_ = false;
      Inbound();
      Outbound();
      if (far_.Flush() == Io::kError) FarFailed();
      if (moved_ && linger_until_) linger_until_ = steady_clock::now() + kLinger;
      if (!moved_ && !over()) Wait();
    }
    if (!far_ended_) far_.CloseWrite();
  }

 private:
  bool over() const {
    if (stopped_ || lingered()) return true;
    if (near_gone_) return out_.empty() || far_failed_;
    return far_ended_ && in_.empty() && (far_failed_ || (near_ended_ && out_.empty()));
  }
  bool lingered() const { return linger_until_ && steady_clock::now() >= *linger_until_; }
  void StartLinger() {
    if (!linger_until_) linger_until_ = steady_clock::now() + kLinger;
  }

  void FarFailed() {
    far_failed_ = true;
    FarEnded();
  }
  void FarEnded() {
    if (far_ended_) return;
    far_ended_ = true;
    pump_.Publish(far_.why());
    StartLinger();
  }

  void Inbound() {
    Io io = Io::kDone;
    while (!far_ended_ && !in_.full() && io == Io::kDone) {
      std::size_t count = 0;
      io = far_.Read(in_.space(), in_.room(), count);
      if (io == Io::kDone) in_.Added(count);
      if (io == Io::kEnd) FarEnded();
      if (io == Io::kError) FarFailed();
      moved_ = moved_ || io != Io::kWait;
    }
    while (!in_.empty() && !near_gone_) {
      const ssize_t count = ::send(near_, in_.data(), in_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EAGAIN) break;
      if (count < 0) return NearGone();
      in_.Taken(static_cast<std::size_t>(count));
      moved_ = true;
    }
    if (far_ended_ && in_.empty() && !near_shut_) {
      near_shut_ = true;
      ::shutdown(near_, SHUT_WR);
    }
  }

  void Outbound() {
    while (!near_ended_ && !out_.full()) {
      const ssize_t count = ::recv(near_, out_.space(), out_.room(), MSG_DONTWAIT);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EAGAIN) break;
      near_ended_ = count <= 0;
      if (count > 0) out_.Added(static_cast<std::size_t>(count));
      moved_ = true;
    }
    while (!out_.empty() && !far_failed_) {
      std::size_t count = 0;
      const Io io = far_.Write(out_.data(), out_.size(), count);
      if (io == Io::kWait) break;
      if (io != Io::kDone) return FarFailed();
      out_.Taken(count);
      moved_ = true;
    }
    if (near_ended_ && out_.empty() && !far_closed_) {
      far_closed_ = true;
      far_.CloseWrite();
    }
  }

  void NearGone() {
    near_gone_ = true;
    StartLinger();
  }

  short FarEvents() {
    int events = 0;
    if (!far_ended_ && !in_.full()) events |= far_.read_wait();
    if (!out_.empty()) events |= far_.write_wait();
    if (far_.Flush() == Io::kWait) events |= POLLOUT;
    return static_cast<short>(events);
  }
  short NearEvents() const {
    int events = 0;
    if (!in_.empty()) events |= POLLOUT;
    if (!near_ended_ && !out_.full()) events |= POLLIN;
    return static_cast<short>(events);
  }

  void Wait() {
    // A descriptor without interest is left out: its POLLHUP would only spin. The near one tells with it that
    // the user is gone altogether, which ends the loop.
    const short far_events = FarEvents();
    pollfd polled[3] = {{far_events != 0 ? far_.fd() : -1, far_events, 0},
                        {near_gone_ ? -1 : near_, NearEvents(), 0},
                        {pump_.bell_.get(), POLLIN, 0}};
    int timeout = -1;
    if (linger_until_) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(*linger_until_ - steady_clock::now()).count();
      timeout = static_cast<int>(std::max<decltype(left)>(left, 0));
    }
    if (::poll(polled, 3, timeout) <= 0) return;
    if (polled[2].revents != 0) stopped_ = true;
    if ((polled[1].revents & (POLLHUP | POLLERR)) != 0 && near_ended_) NearGone();
  }

  Pump& pump_;
  FarEnd& far_;
  const int near_;
  Buffer in_;   // far to near
  Buffer out_;  // near to far
  bool moved_ = false;
  bool stopped_ = false;
  bool far_ended_ = false;
  bool far_failed_ = false;
  bool far_closed_ = false;
  bool near_ended_ = false;
  bool near_gone_ = false;
  bool near_shut_ = false;
  std::optional<steady_clock::time_point> linger_until_;
};

Pump::Pump(std::unique_ptr<FarEnd> far, UniqueFd near)
    : far_(std::move(far)), near_(std::move(near)), bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  thread_ = std::thread([this] {
    // OpenSSL writes with plain write(2); a peer that is gone must be an error, not a signal.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    Loop(*this).Run();
    far_.reset();  // the peer sees the end at once
    alive_ = false;
    ::shutdown(near_.get(), SHUT_RDWR);
  });
}

Pump::~Pump() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t done = ::write(bell_.get(), &one, sizeof(one));
  thread_.join();
}

std::optional<Error> Pump::why() const {
  std::lock_guard lock(mutex_);
  return why_;
}

void Pump::Publish(Error why) {
  std::lock_guard lock(mutex_);
  if (!why_) why_ = std::move(why);
}

std::unique_ptr<Pump> StartPump(std::unique_ptr<FarEnd> far, UniqueFd& end) {
  int pair[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) return nullptr;
  end = UniqueFd(pair[1]);
  return std::make_unique<Pump>(std::move(far), UniqueFd(pair[0]));
}

}  // namespace tw::teleport
