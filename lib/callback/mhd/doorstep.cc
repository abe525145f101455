#include "callback/mhd/doorstep.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "callback/mhd/request_head.h"

namespace tw::callback {
namespace {

constexpr int kAcceptsInARow = 64;
constexpr std::size_t kRecordHeader = 5;  // RFC 8446 section 5.1: type, version, length
constexpr unsigned char kHandshakeRecord = 22;
constexpr std::chrono::milliseconds kPause{100};
constexpr std::chrono::seconds kRepeatTrouble{60};

SteadyTime Now() {
  return std::chrono::steady_clock::now();
}

enum class Hello { kPartial, kWhole, kGone };

// Whole: the first TLS record is there, or what came is no handshake, which GnuTLS may then say.
Hello PeekHello(int fd) {
  std::array<unsigned char, kRecordHeader> head{};
  const ssize_t count = ::recv(fd, head.data(), head.size(), MSG_PEEK | MSG_DONTWAIT);
  if (count == 0) return Hello::kGone;
  if (count < 0) return errno == EAGAIN || errno == EINTR ? Hello::kPartial : Hello::kGone;
  if (head[0] != kHandshakeRecord) return Hello::kWhole;
  if (count < static_cast<ssize_t>(kRecordHeader)) return Hello::kPartial;
  const int wanted = static_cast<int>(kRecordHeader) + head[3] * 256 + head[4];
  int available = 0;
  if (::ioctl(fd, FIONREAD, &available) != 0) return Hello::kGone;
  return available >= wanted ? Hello::kWhole : Hello::kPartial;
}

bool OutOfDescriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

Doorstep::Doorstep(Options options, ConnectionTable& table, Logger& log)
    : options_(std::move(options)), table_(table), log_(log), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  Listen(true);
}

Doorstep::~Doorstep() {
  for (auto& [fd, guest] : waiting_) table_.Remove(guest.connection);
}

void Doorstep::StopAccepting() {
  stopped_ = true;
  Listen(false);
}

void Doorstep::Listen(bool on) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = options_.listen_fd;
  ::epoll_ctl(epoll_.get(), on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, options_.listen_fd, &event);
}

int Doorstep::Patience() const {
  if (closed_until_ == SteadyTime::min()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(closed_until_ - Now());
  return static_cast<int>(std::max(left, std::chrono::milliseconds(0)).count());
}

std::vector<Doorstep::Guest> Doorstep::Collect() {
  if (closed_until_ != SteadyTime::min() && Now() >= closed_until_) {
    closed_until_ = SteadyTime::min();
    if (!stopped_) Listen(true);
  }
  std::vector<Guest> ready;
  std::array<epoll_event, 64> events{};
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const int fd = events[static_cast<std::size_t>(i)].data.fd;
    if (fd == options_.listen_fd) {
      Accept(ready);
    } else if (auto found = waiting_.extract(fd); !found.empty()) {
      Greet(std::move(found.mapped()), ready);
    }
  }
  return ready;
}

void Doorstep::Accept(std::vector<Guest>& ready) {
  for (int i = 0; i < kAcceptsInARow; ++i) {
    Guest guest;
    guest.length = sizeof guest.address;
    guest.fd = UniqueFd(::accept4(options_.listen_fd, reinterpret_cast<sockaddr*>(&guest.address),
                                  &guest.length, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!guest.fd) {
      if (OutOfDescriptors(errno)) NoDescriptor(errno);
      return;
    }
    std::string peer = PeerText(reinterpret_cast<const sockaddr*>(&guest.address));
    std::string key = options_.key_of(peer);
    if (!table_.Admit(key)) continue;  // closes
    guest.connection = table_.Add(guest.fd.get(), std::move(peer), std::move(key), Now() + options_.patience);
    if (options_.await_hello) {
      Greet(std::move(guest), ready);
    } else {
      ready.push_back(std::move(guest));
    }
  }
}

// The newcomer stays in the kernel's queue. A connection that only waits gives its descriptor up for it; when
// there is none, a pause, since the listener would wake us without end.
void Doorstep::NoDescriptor(int error) {
  const SteadyTime now = Now();
  if (told_at_ == SteadyTime::min() || now - told_at_ >= kRepeatTrouble) {
    told_at_ = now;
    log_.Error("connections cannot be taken: files or memory are used up",
               {{"address", options_.address},
                {"error", std::generic_category().message(error)},
                {"hint", "raise LimitNOFILE= of the systemd unit, or ulimit -n"}});
  }
  if (table_.MakeRoom()) return;
  closed_until_ = now + kPause;
  Listen(false);
}

void Doorstep::Greet(Guest guest, std::vector<Guest>& ready) {
  const int fd = guest.fd.get();
  epoll_event event{};
  // Edges: half a greeting must not wake us again and again.
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
  event.data.fd = fd;
  switch (PeekHello(fd)) {
    case Hello::kGone:
      table_.Remove(guest.connection);
      return;
    case Hello::kWhole:
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
      ready.push_back(std::move(guest));
      return;
    case Hello::kPartial:
      if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0 && errno != EEXIST) {
        table_.Remove(guest.connection);
        return;
      }
      waiting_.emplace(fd, std::move(guest));
  }
}

}  // namespace tw::callback
