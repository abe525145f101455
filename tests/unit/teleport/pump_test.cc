// The pump over a far end that is a plain socket: back-pressure, ends of both sides, cancelling.
#include "teleport/pump.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <thread>

#include "teleport/wait.h"

namespace tw::teleport {
namespace {

class PlainFarEnd final : public FarEnd {
 public:
  explicit PlainFarEnd(UniqueFd fd) : fd_(std::move(fd)) {}
  int fd() const override { return fd_.get(); }
  Io Read(char* buffer, std::size_t size, std::size_t& count) override {
    const ssize_t got = ::recv(fd_.get(), buffer, size, MSG_DONTWAIT);
    return Done(got, count);
  }
  Io Write(const char* bytes, std::size_t size, std::size_t& count) override {
    return Done(::send(fd_.get(), bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL), count);
  }
  short read_wait() const override { return POLLIN; }
  short write_wait() const override { return POLLOUT; }
  void CloseWrite() override { ::shutdown(fd_.get(), SHUT_WR); }
  Error why() const override { return {ErrorKind::kUnreachable, "the far end is gone", {}, true}; }

 private:
  static Io Done(ssize_t result, std::size_t& count) {
    if (result < 0) return errno == EAGAIN ? Io::kWait : Io::kError;
    count = static_cast<std::size_t>(result);
    return result == 0 ? Io::kEnd : Io::kDone;
  }
  UniqueFd fd_;
};

struct Pumped {
  Pumped() {
    int pair[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    far = UniqueFd(pair[0]);
    pump = StartPump(std::make_unique<PlainFarEnd>(UniqueFd(pair[1])), near);
  }
  UniqueFd far;
  UniqueFd near;
  std::unique_ptr<Pump> pump;
};

std::string Pattern(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i * 31 >> 3U & 0xffU);
  return out;
}

TEST(Pump, CarriesMegabytesBothWaysAtOnceUnchanged) {
  Pumped both;
  const std::string there = Pattern(8'000'000), back = Pattern(6'000'000);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto send = [&](int fd, const std::string& bytes) {
    Waiter waiter(deadline, {});
    EXPECT_TRUE(WriteAll(fd, bytes, waiter));
    ::shutdown(fd, SHUT_WR);
  };
  std::string got_far, got_near;
  {
    std::jthread a([&] { send(both.near.get(), there); });
    std::jthread b([&] { send(both.far.get(), back); });
    std::jthread c([&] {
      Waiter waiter(deadline, {});
      got_far = ReadToEnd(both.far.get(), 100'000'000, waiter).value_or("");
    });
    Waiter waiter(deadline, {});
    got_near = ReadToEnd(both.near.get(), 100'000'000, waiter).value_or("");
  }
  EXPECT_TRUE(got_far == there);
  EXPECT_TRUE(got_near == back);
}

TEST(Pump, AReaderThatDoesNotReadStopsTheOtherSideAtAFixedAmount) {
  Pumped both;
  const std::string chunk(65536, 'x');
  std::size_t sent = 0;
  pollfd writable{both.far.get(), POLLOUT, 0};
  while (::poll(&writable, 1, 200) > 0) {
    const ssize_t count = ::send(both.far.get(), chunk.data(), chunk.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) sent += static_cast<std::size_t>(count);
    ASSERT_LT(sent, 8U * 1024 * 1024) << "the buffers must be bounded";
  }
  EXPECT_GT(sent, 0U);
  EXPECT_TRUE(both.pump->alive());
}

TEST(Pump, HandsOverWhatTheFarEndSentBeforeItEndedAndTellsWhy) {
  Pumped both;
  ASSERT_EQ(::send(both.far.get(), "last words", 10, MSG_NOSIGNAL), 10);
  both.far.Reset();
  Waiter waiter(std::chrono::steady_clock::now() + std::chrono::seconds(10), {});
  EXPECT_EQ(ReadToEnd(both.near.get(), 100, waiter).value(), "last words");
  ASSERT_TRUE(both.pump->why()) << "known before the end is seen";
  EXPECT_EQ(both.pump->why()->message, "the far end is gone");
}

TEST(Pump, AHalfClosedNearSideStillHears) {
  Pumped both;
  ::shutdown(both.near.get(), SHUT_WR);
  Waiter waiter(std::chrono::steady_clock::now() + std::chrono::seconds(10), {});
  EXPECT_EQ(ReadToEnd(both.far.get(), 100, waiter).value(), "");
  ASSERT_EQ(::send(both.far.get(), "answer", 6, MSG_NOSIGNAL), 6);
  both.far.Reset();
  EXPECT_EQ(ReadToEnd(both.near.get(), 100, waiter).value(), "answer");
}

TEST(Pump, EndsWhenItsUserGoesAwayAndTheFarSideSeesIt) {
  Pumped both;
  both.near.Reset();
  Waiter waiter(std::chrono::steady_clock::now() + std::chrono::seconds(10), {});
  EXPECT_TRUE(ReadToEnd(both.far.get(), 100, waiter));
  while (both.pump->alive()) std::this_thread::yield();
}

TEST(Pump, DestructionStopsItWhileBothSidesWait) {
  Pumped both;
  both.pump.reset();
  Waiter waiter(std::chrono::steady_clock::now() + std::chrono::seconds(10), {});
  EXPECT_EQ(ReadToEnd(both.far.get(), 100, waiter).value(), "");
}

TEST(Waiter, EndsAtItsDeadlineAndAtItsStopToken) {
  Pumped both;
  Waiter late(std::chrono::steady_clock::now() + std::chrono::milliseconds(10), {});
  EXPECT_EQ(late.For(both.far.get(), POLLIN).error().kind, ErrorKind::kTimeout);
  std::stop_source stop;
  Waiter stopped(std::chrono::steady_clock::now() + std::chrono::hours(1), stop.get_token());
  std::jthread other([&] { stop.request_stop(); });
  EXPECT_EQ(stopped.For(both.far.get(), POLLIN).error().kind, ErrorKind::kCancelled);
}

TEST(ReadUntil, TakesNothingBeyondTheEndMark) {
  Pumped both;
  const std::string text = "HTTP/1.1 200 OK\r\n\r\nSSH";
  ASSERT_EQ(::send(both.far.get(), text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
  Waiter waiter(std::chrono::steady_clock::now() + std::chrono::seconds(10), {});
  EXPECT_EQ(ReadUntil(both.near.get(), "\r\n\r\n", 1000, waiter).value(), "HTTP/1.1 200 OK\r\n\r\n");
  both.far.Reset();
  EXPECT_EQ(ReadToEnd(both.near.get(), 100, waiter).value(), "SSH");
}

TEST(ReadUntil, RefusesAnswersWithoutEnd) {
  Pumped both;
  const std::string text(5000, 'x');
  ASSERT_EQ(::send(both.far.get(), text.data(), text.size(), MSG_NOSIGNAL), 5000);
  Waiter waiter(std::chrono::steady_clock::now() + std::chrono::seconds(10), {});
  EXPECT_FALSE(ReadUntil(both.near.get(), "\r\n\r\n", 4096, waiter));
}

}  // namespace
}  // namespace tw::teleport
