#include <openssl/ssl.h>

#include <atomic>
#include <thread>

#include "fakes/test_ca.h"
#include "integration/callback/server_harness.h"

namespace tw::callback {
namespace {

using fakes::HttpClient;
using fakes::TlsClient;

class TlsTest : public ServerTest {
 protected:
  TestPair pair{{"localhost", "127.0.0.1"}};
};

TEST_F(TlsTest, AnswersOverTlsAndSaysSo) {
  options.tls = pair.Material();
  handler.script = [](const HttpRequest& request, const std::stop_token&) {
    return HttpResponse{
        200,
        {},
        std::string(request.tls ? "tls" : "plain") + (request.client_certificate ? "+cert" : ""),
        false};
  };
  Start();
  HttpClient client(address, TlsClient{});
  const auto reply = client.Do("GET", "/");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, "tls");
  EXPECT_EQ(client.PeerFingerprint(), pair.fingerprint);
}

TEST_F(TlsTest, RefusesVersionsBefore12) {
  options.tls = pair.Material();
  Start();
  TlsClient old;
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    old.max_version = version;
    HttpClient client(address, old);
    ASSERT_TRUE(client.Connect());
    EXPECT_FALSE(client.Handshake()) << version;
  }
  old.max_version = TLS1_2_VERSION;
  HttpClient client(address, old);
  EXPECT_EQ(client.Do("GET", "/")->status, 200);
}

TEST_F(TlsTest, ShowsAReplacedCertificateToNewConnectionsWhileOldOnesGoOn) {
  options.tls = pair.Material();
  Start();
  HttpClient before(address, TlsClient{});
  ASSERT_EQ(before.Do("GET", "/")->status, 200);
  const TestPair next{{"localhost"}};
  ASSERT_TRUE(server->ReplaceTls(next.Material()));
  HttpClient after(address, TlsClient{});
  ASSERT_EQ(after.Do("GET", "/")->status, 200);
  EXPECT_EQ(after.PeerFingerprint(), next.fingerprint);
  EXPECT_EQ(before.Do("GET", "/")->status, 200);
}

TEST_F(TlsTest, KeepsTheOldPairWhenTheNewOneIsUnusable) {
  options.tls = pair.Material();
  Start();
  TlsMaterial broken = pair.Material();
  broken.chain_der = {"not a certificate"};
  EXPECT_FALSE(server->ReplaceTls(broken));
  HttpClient client(address, TlsClient{});
  ASSERT_EQ(client.Do("GET", "/")->status, 200);
  EXPECT_EQ(client.PeerFingerprint(), pair.fingerprint);
}

TEST_F(TlsTest, LosesNoRequestWhileCertificatesRotateAThousandTimes) {
  options.tls = pair.Material();
  Start();
  const TestPair other{{"localhost"}};
  std::atomic<bool> done{false};
  std::atomic<int> asked{0};
  std::atomic<int> failed{0};
  std::jthread load([&] {
    while (!done) {
      HttpClient client(address, TlsClient{});
      const auto reply = client.Do("GET", "/");
      if (!reply || reply->status != 200) ++failed;
      ++asked;
    }
  });
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(server->ReplaceTls((i % 2 == 0 ? other : pair).Material()));
    if (i % 10 == 0) {
      const int seen = asked;
      while (asked == seen) std::this_thread::yield();
    }
  }
  done = true;
  load.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GE(asked, 100);
}

// Tells who the client is, as far as the listener knows.
HttpResponse WhoAsks(const HttpRequest& request, const std::stop_token&) {
  if (!request.client_certificate) return {200, {}, "nobody", false};
  std::string text = request.client_certificate->common_name;
  for (const std::string& name : request.client_certificate->names) text += "," + name;
  return {200, {}, text, false};
}

TlsClient With(const fakes::IssuedPair& pair) {
  return {true, pair.certificate_pem, pair.key_pem, 0};
}

TEST_F(TlsTest, NamesAClientWhoseCertificateTheClientCaKnowsAndNobodyElse) {
  const fakes::CallerCa ca("callers");
  const fakes::CallerCa other("others");
  options.tls = pair.Material();
  options.tls->client_ca_der = {ca.der()};
  handler.script = WhoAsks;
  Start();
  const auto asked = [&](const TlsClient& tls) {
    HttpClient client(address, tls);
    const auto reply = client.Do("GET", "/");
    return reply ? reply->body : "no answer";
  };
  EXPECT_EQ(asked(With(ca.Issue({.common_name = "carol", .dns_name = "carol.example.com"}))),
            "carol,carol.example.com");
  EXPECT_EQ(asked(With(other.Issue({.common_name = "carol"}))), "nobody");
  EXPECT_EQ(asked(With(ca.Issue({.common_name = "carol", .expired = true}))), "nobody");
  EXPECT_EQ(asked(With(ca.Issue({.common_name = "carol", .for_client = false}))), "nobody");
  EXPECT_EQ(asked(TlsClient{}), "nobody");
}

TEST_F(TlsTest, EndsTheHandshakeWithoutARequiredCertificate) {
  const fakes::CallerCa ca("callers");
  const fakes::CallerCa other("others");
  options.tls = pair.Material();
  options.tls->client_ca_der = {ca.der()};
  options.tls->require_client_certificate = true;
  handler.script = WhoAsks;
  Start();
  HttpClient known(address, With(ca.Issue({.common_name = "carol"})));
  EXPECT_EQ(known.Do("GET", "/")->body, "carol");
  HttpClient without(address, TlsClient{});
  EXPECT_FALSE(without.Do("GET", "/"));
  HttpClient unknown(address, With(other.Issue({.common_name = "carol"})));
  EXPECT_FALSE(unknown.Do("GET", "/"));
  EXPECT_EQ(handler.handled, 1);
}

TEST_F(TlsTest, TrustsAReplacedClientCaFromTheNextConnectionOn) {
  const fakes::CallerCa before("before");
  const fakes::CallerCa after("after");
  options.tls = pair.Material();
  options.tls->client_ca_der = {before.der()};
  handler.script = WhoAsks;
  Start();
  TlsMaterial next = pair.Material();
  next.client_ca_der = {after.der()};
  ASSERT_TRUE(server->ReplaceTls(next));
  HttpClient old_client(address, With(before.Issue({.common_name = "carol"})));
  HttpClient new_client(address, With(after.Issue({.common_name = "dave"})));
  EXPECT_EQ(old_client.Do("GET", "/")->body, "nobody");
  EXPECT_EQ(new_client.Do("GET", "/")->body, "dave");
}

TEST_F(TlsTest, ACertificateCountsNoMoreOnAnOpenConnectionOnceItsCaIsReplaced) {
  const fakes::CallerCa before("before");
  const fakes::CallerCa after("after");
  options.tls = pair.Material();
  options.tls->client_ca_der = {before.der()};
  handler.script = WhoAsks;
  Start();
  HttpClient client(address, With(before.Issue({.common_name = "carol"})));
  EXPECT_EQ(client.Do("GET", "/")->body, "carol");
  TlsMaterial next = pair.Material();
  next.client_ca_der = {after.der()};
  ASSERT_TRUE(server->ReplaceTls(next));
  EXPECT_EQ(client.Do("GET", "/")->body, "nobody");
}

}  // namespace
}  // namespace tw::callback
