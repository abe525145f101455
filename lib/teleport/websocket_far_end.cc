#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "teleport/websocket.h"

namespace tw::teleport {
namespace {

constexpr std::size_t kReadSize = 64UL * 1024;
constexpr std::size_t kFrameSize = 32UL * 1024;
// Pongs that the other side does not take; more of them means that it does not read at all.
constexpr std::size_t kMaxUnsent = 4 * kFrameSize;

class WebSocketFarEnd final : public FarEnd {
 public:
  explicit WebSocketFarEnd(UniqueFd fd) : fd_(std::move(fd)), in_(kReadSize) {}

  int fd() const override { return fd_.get(); }

  Io Read(char* buffer, std::size_t size, std::size_t& count) override {
    for (;;) {
      while (!data_.empty() || begin_ < end_) {
        if (data_.empty() && !Decode()) return ended_;
        if (data_.empty()) continue;
        count = std::min(size, data_.size());
        std::memcpy(buffer, data_.data(), count);
        data_.remove_prefix(count);
        return Io::kDone;
      }
      const Io io = Fill();
      if (io != Io::kDone) return io;
    }
  }

  Io Write(const char* bytes, std::size_t size, std::size_t& count) override {
    const Io before = Flush();
    if (before != Io::kDone) return before;
    count = std::min(size, kFrameSize);
    unsent_ = EncodeFrame(Opcode::kBinary, {bytes, count});
    return Flush() == Io::kError ? Io::kError : Io::kDone;
  }

  Io Flush() override {
    while (!unsent_.empty()) {
      const ssize_t sent = ::send(fd_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && errno == EAGAIN) return Io::kWait;
      if (sent < 0) return Fail(fmt::format("the WebSocket broke: {}", std::strerror(errno)));
      unsent_.erase(0, static_cast<std::size_t>(sent));
    }
    return Io::kDone;
  }

  short read_wait() const override { return POLLIN; }
  short write_wait() const override { return POLLOUT; }
  void CloseWrite() override {
    unsent_ += EncodeFrame(Opcode::kClose, {});
    Flush();
    ::shutdown(fd_.get(), SHUT_WR);
  }
  Error why() const override { return why_; }

 private:
  Io Fail(std::string message) {
    why_ = {ErrorKind::kUnreachable, std::move(message), {}, true};
    return ended_ = Io::kError;
  }

  Io Fill() {
    const ssize_t got = ::recv(fd_.get(), in_.data(), in_.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Io::kWait;
    if (got < 0) return Fail(fmt::format("the WebSocket broke: {}", std::strerror(errno)));
    if (got == 0) return Io::kEnd;
    begin_ = 0;
    end_ = static_cast<std::size_t>(got);
    return Io::kDone;
  }

  // One step of the frame reader; false when the stream is over (`ended_` says how).
  bool Decode() {
    Result<FrameReader::Step> step = frames_.Next(in_.data() + begin_, end_ - begin_);
    if (!step) {
      Fail(step.error().message);
      return false;
    }
    begin_ += step->taken;
    data_ = step->data;
    if (!step->control) return true;
    if (step->control->opcode == Opcode::kClose) {
      why_ = {ErrorKind::kUnreachable, "the proxy closed the WebSocket", {}, true};
      ended_ = Io::kEnd;
      return false;
    }
    if (step->control->opcode == Opcode::kPing) unsent_ += EncodeFrame(Opcode::kPong, step->control->payload);
    if (unsent_.size() > kMaxUnsent) Fail("the proxy does not take what we send");
    return ended_ != Io::kError;
  }

  UniqueFd fd_;
  std::vector<char> in_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string_view data_;  // inside in_
  std::string unsent_;
  FrameReader frames_;
  Io ended_ = Io::kEnd;
  Error why_{ErrorKind::kUnreachable, "the proxy closed the connection", {}, true};
};

}  // namespace

std::unique_ptr<FarEnd> MakeWebSocketFarEnd(UniqueFd fd) {
  return std::make_unique<WebSocketFarEnd>(std::move(fd));
}

}  // namespace tw::teleport
