#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/text.h"
#include "crypto/webhook_signature.h"
#include "integration/callback/end_to_end_harness.h"

namespace tw::callback {
namespace {

using fakes::HttpClient;
using fakes::TlsClient;
using std::chrono::seconds;

constexpr int kRotations = 1000;

Secret SecretOf(int number) {
  const std::string bytes = "rotation secret number " + std::to_string(100'000 + number);
  return Secret("whsec_" + Base64Encode(bytes));
}

// What an operator does: the new secret takes the old one's place, which stays good under a caller of its
// own.
void Accept(int number, config::CallbackSettings& callback) {
  callback.secret = SecretOf(number + 1);
  callback.callers.resize(1);
  callback.callers[0].name = "previous";
  callback.callers[0].hmac_secret = SecretOf(number);
}

// A client that asks again and again, and signs with the secret whose number it is given.
class Signer {
 public:
  Signer(std::string address, std::string request, int first, bool keeps_connection)
      : number_(first),
        answered_with_(-1),
        thread_([=, this](const std::stop_token& stop) { Run(address, request, keeps_connection, stop); }) {}

  void Use(int number) { number_ = number; }
  // Until an answer has come to a request that was signed with this number's secret.
  bool Await(int number) const {
    const auto end = std::chrono::steady_clock::now() + seconds(30);
    while (answered_with_ < number && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    return answered_with_ >= number;
  }
  int failed() const { return failed_; }
  int asked() const { return asked_; }
  int last_status() const { return last_status_; }

 private:
  void Run(const std::string& address, const std::string& request, bool keeps_connection,
           const std::stop_token& stop) {
    auto client = std::make_unique<HttpClient>(address, TlsClient{});
    while (!stop.stop_requested()) {
      if (!keeps_connection) client = std::make_unique<HttpClient>(address, TlsClient{});
      const int number = number_;
      const auto reply = Ask(*client, request, number);
      ++asked_;
      if (!reply || reply->status != 200) {
        last_status_ = reply ? reply->status : 0;
        ++failed_;
        client = std::make_unique<HttpClient>(address, TlsClient{});
      }
      answered_with_ = number;
      // A breath, for the test that shares the processor.
      if (number_ == number) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::optional<fakes::HttpReply> Ask(HttpClient& client, const std::string& request, int number) {
    const std::string body = R"({"request_id":")" + request + R"(","decision":"approve"})";
    const std::string id = "msg_" + request + "_" + std::to_string(asked_);
    const auto key =
        crypto::WebhookKey::ForSigning(SecretOf(number).Reveal(), crypto::WebhookScheme::kStandard);
    const std::int64_t now =
        std::chrono::floor<seconds>(std::chrono::system_clock::now()).time_since_epoch().count();
    return client.Do("POST", "/v1/requests/" + request + "/approve",
                     {{"Content-Type", "application/json"},
                      {"Webhook-Id", id},
                      {"Webhook-Timestamp", std::to_string(now)},
                      {"Webhook-Signature", crypto::SignStandard({&*key, 1}, id, now, body)}},
                     body);
  }

  std::atomic<int> number_;
  std::atomic<int> answered_with_;
  std::atomic<int> asked_{0};
  std::atomic<int> failed_{0};
  std::atomic<int> last_status_{0};
  std::jthread thread_;
};

class RotationTest : public EndToEndTest {
 protected:
  void PutFile(const std::string& path, const std::string& text) {
    std::ofstream(path + ".new") << text;
    std::filesystem::rename(path + ".new", path);
  }
};

TEST_F(RotationTest, LosesNoCallbackWhileSecretsAndCertificatesRotateAThousandTimes) {
  teleport.Create("req-2");
  Accept(0, callback);
  Start(true);
  const TlsPaths paths = *EnsureSelfSigned(directory, "localhost", clock.Now(), log);
  TlsWatch watch(paths);
  [[maybe_unused]] const auto unchanged = watch.Poll();
  std::string fingerprint;
  // One keeps its connection, the other comes anew each time. Both sign with what is the new secret before a
  // reload and the old one after it, and have requests under way all the time.
  Signer staying(address, "req-1", 1, true);
  Signer coming(address, "req-2", 1, false);
  for (int i = 1; i <= kRotations; ++i) {
    ASSERT_TRUE(staying.Await(i) && coming.Await(i)) << "rotation " << i;
    Accept(i, callback);
    ASSERT_TRUE(handler->Reload(http, callback));
    staying.Use(i + 1);
    coming.Use(i + 1);
    const TestPair pair{{"localhost"}};
    fingerprint = pair.fingerprint;
    PutFile(paths.key_file, pair.key_pem);
    const auto half = watch.Poll();  // the new key beside the old certificate
    ASSERT_TRUE(half && !*half);
    PutFile(paths.certificate_file, pair.certificate_pem);
    auto whole = watch.Poll();
    ASSERT_TRUE(whole && *whole);
    ASSERT_TRUE(server->ReplaceTls(std::move(**whole)));
  }
  ASSERT_TRUE(staying.Await(kRotations + 1) && coming.Await(kRotations + 1));
  EXPECT_EQ(staying.failed() + coming.failed(), 0) << staying.last_status() << " " << coming.last_status();
  RecordProperty("callbacks", staying.asked() + coming.asked());
  EXPECT_GE(staying.asked(), kRotations);
  EXPECT_GE(coming.asked(), kRotations);

  HttpClient newcomer(address, TlsClient{});
  ASSERT_EQ(newcomer.Do("GET", "/status")->status, 200);
  EXPECT_EQ(newcomer.PeerFingerprint(), fingerprint);
  // What was rotated out opens nothing.
  Signer outdated(address, "req-1", kRotations - 1, false);
  ASSERT_TRUE(outdated.Await(kRotations - 1));
  EXPECT_EQ(outdated.last_status(), 401);
}

}  // namespace
}  // namespace tw::callback
