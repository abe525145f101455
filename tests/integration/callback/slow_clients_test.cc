#include <algorithm>
#include <thread>

#include "integration/callback/server_harness.h"

namespace tw::callback {
namespace {

using fakes::HttpClient;
using fakes::TlsClient;
using std::chrono::milliseconds;

constexpr int kOfEachKind = 75;
constexpr int kHonest = 200;

// 300 clients that say nothing, half a head, a body byte by byte, or stall in the TLS handshake.
class SlowClients {
 public:
  SlowClients(const std::string& address, bool tls) {
    for (int i = 0; i < kOfEachKind; ++i) {
      Add(address, false, {});
      Add(address, tls, "POST / HTTP/1.1\r\nHost: x\r\nX-Half: ");
      Add(address, tls, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{");
      if (!tls)
        Add(address, false, "P");
      else
        Add(address, false, std::string_view("\x16\x03\x01\x02\x00\x01", 6));
    }
    dripper_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        for (std::size_t i = 2; i < clients_.size() && !stop.stop_requested(); i += 4) clients_[i]->Send(" ");
        std::this_thread::sleep_for(milliseconds(20));
      }
    });
  }
  std::size_t connected() const { return clients_.size(); }

 private:
  void Add(const std::string& address, bool tls, std::string_view first) {
    auto client = std::make_unique<HttpClient>(address, TlsClient{tls, {}, {}, 0});
    if (client->Connect() && client->Handshake() && (first.empty() || client->Send(first)))
      clients_.push_back(std::move(client));
  }

  std::vector<std::unique_ptr<HttpClient>> clients_;
  std::jthread dripper_;
};

std::vector<milliseconds> AskHonestly(const std::string& address, bool tls, int& failed) {
  std::vector<milliseconds> took;
  for (int i = 0; i < kHonest; ++i) {
    const auto start = std::chrono::steady_clock::now();
    HttpClient client(address, TlsClient{tls, {}, {}, 0});
    const auto reply = client.Do("POST", "/", {}, "{}");
    took.push_back(std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start));
    if (!reply || reply->status != 200) ++failed;
  }
  std::sort(took.begin(), took.end());
  return took;
}

class SlowClientsTest : public ServerTest, public testing::WithParamInterface<bool> {
 protected:
  TestPair pair{{"localhost"}};
};

INSTANTIATE_TEST_SUITE_P(PlainAndTls, SlowClientsTest, testing::Bool(),
                         [](const auto& which) { return which.param ? "Tls" : "Plain"; });

TEST_P(SlowClientsTest, HonestOnesAreServedWhileThreeHundredSlowOnesHang) {
  const bool tls = GetParam();
  if (tls) options.tls = pair.Material();
  Start();
  const SlowClients slow(address, tls);
  ASSERT_EQ(slow.connected(), 4U * kOfEachKind);
  int failed = 0;
  const auto took = AskHonestly(address, tls, failed);
  EXPECT_EQ(failed, 0);
  RecordProperty("p50_ms", static_cast<int>(took[kHonest / 2].count()));
  RecordProperty("p99_ms", static_cast<int>(took[kHonest * 99 / 100].count()));
  // The slow ones hold on for the request's whole time; being held up by one would show as that.
  EXPECT_LT(took.back(), options.request_timeout);
}

TEST_P(SlowClientsTest, SlowOnesAreAllCutAtTheirDeadline) {
  const bool tls = GetParam();
  if (tls) options.tls = pair.Material();
  options.request_timeout = milliseconds(1500);
  Start();
  std::vector<std::unique_ptr<HttpClient>> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(std::make_unique<HttpClient>(address));
    ASSERT_TRUE(silent.back()->Connect());
  }
  for (const auto& client : silent) EXPECT_TRUE(client->Ended());
}

}  // namespace
}  // namespace tw::callback
