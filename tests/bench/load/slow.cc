// Clients that hold on to a connection without making use of it, for as long as they are let.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <thread>

#include "client.h"
#include "verbs.h"

namespace load {
namespace {

constexpr std::chrono::milliseconds kRound{20};
constexpr int kHeadPause = 25;  // rounds between two bytes of a head
constexpr std::string_view kHead = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: ";
constexpr std::string_view kBody =
    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{";
constexpr std::string_view kHalfHello("\x16\x03\x01\x02\x00\x01", 6);

enum class Habit { kSilent, kHalfGreeting, kHalfHead, kDripsBody };

class SlowClient {
 public:
  SlowClient(int port, const std::string& ca_file, Habit habit)
      : port_(port), ca_file_(ca_file), habit_(habit) {}

  bool Begin() {
    const bool tls = habit_ == Habit::kHalfHead || habit_ == Habit::kDripsBody;
    client_ = std::make_unique<Client>(port_, tls ? ca_file_ : "");
    if (!client_->Open()) return false;
    switch (habit_) {
      case Habit::kSilent:
        return true;
      case Habit::kHalfGreeting:
        return client_->Put(ca_file_.empty() ? "P" : kHalfHello);
      case Habit::kHalfHead:
        return client_->Put(kHead);
      case Habit::kDripsBody:
        return client_->Put(kBody);
    }
    return false;
  }

  // False when the server has had enough of it.
  bool GoOn(int round) {
    if (habit_ == Habit::kDripsBody) return client_->Put(" ");
    if (habit_ == Habit::kHalfHead) return round % kHeadPause != 0 || client_->Put("a");
    return !client_->Gone();
  }

 private:
  int port_;
  const std::string& ca_file_;
  Habit habit_;
  std::unique_ptr<Client> client_;
};

}  // namespace

// Says "ready" when all are connected, and goes on until it is ended; whoever is cut off comes again.
int Slow(const Arguments& arguments) {
  if (arguments.size() != 3) return 2;
  std::signal(SIGPIPE, SIG_IGN);  // being cut off is their lot
  const int port = std::atoi(arguments[0].c_str());
  const std::string ca_file = arguments[1] == "-" ? "" : arguments[1];
  const int count = std::atoi(arguments[2].c_str());
  std::vector<SlowClient> clients;
  for (int i = 0; i < count; ++i) {
    if (!clients.emplace_back(port, ca_file, static_cast<Habit>(i % 4)).Begin()) {
      std::fprintf(stderr, "slow client %d cannot connect\n", i);
      return 1;
    }
  }
  std::printf("ready %zu\n", clients.size());
  std::fflush(stdout);
  for (int round = 1;; ++round) {
    for (SlowClient& client : clients) {
      if (!client.GoOn(round)) client.Begin();
    }
    std::this_thread::sleep_for(kRound);
  }
}

}  // namespace load
