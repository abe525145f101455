// The libcurl transport against a scripted receiver: what the port promises.
#include "webhook/http_transport.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/unique_fd.h"
#include "fakes/http_receiver.h"
#include "fakes/test_pki.h"

namespace tw::webhook {
namespace {

using fakes::HttpReceiver;
using fakes::ReceiverTls;
using fakes::ScriptedReply;
using fakes::SeenRequest;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr std::chrono::milliseconds kPatience{20'000};

class HttpTransportTest : public testing::Test {
 protected:
  static std::shared_ptr<HttpTarget> Target(const std::string& url) {
    auto target = std::make_shared<HttpTarget>();
    target->url = Secret(url);
    target->direct = true;
    return target;
  }
  static HttpCall Call(std::shared_ptr<const HttpTarget> target, std::string body = "{}",
                       std::uint64_t id = 1) {
    HttpCall call;
    call.id = id;
    call.target = std::move(target);
    call.headers = {{"Content-Type", "application/json"},
                    {"User-Agent", "teleport-webhooks/test"},
                    {"webhook-id", "evt_1"}};
    call.body = std::move(body);
    return call;
  }
  std::vector<HttpAnswer> Collect(std::size_t count) {
    std::vector<HttpAnswer> all;
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (all.size() < count && std::chrono::steady_clock::now() < until) {
      for (HttpAnswer& answer : transport_->Poll(std::chrono::milliseconds(200)))
        all.push_back(std::move(answer));
    }
    EXPECT_EQ(all.size(), count);
    all.resize(count);
    return all;
  }
  HttpAnswer Post(std::shared_ptr<const HttpTarget> target, std::string body = "{}") {
    transport_->Submit(Call(std::move(target), std::move(body)));
    return Collect(1)[0];
  }

  std::unique_ptr<HttpTransport> transport_ = LoadHttpTransport().value();
};

TEST_F(HttpTransportTest, PostsExactlyTheHeadersAndBytesItWasGiven) {
  HttpReceiver receiver;
  std::string body("{\"a\":\"\x00\xff\"}", 10);
  const HttpAnswer answer = Post(Target(receiver.Url("/hook?x=1")), body);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.id, 1U);
  const SeenRequest seen = receiver.seen().at(0);
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target, "/hook?x=1");
  EXPECT_EQ(seen.body, body);
  std::vector<std::string> names;
  for (const auto& [name, value] : seen.headers) names.push_back(name);
  EXPECT_THAT(names,
              UnorderedElementsAre("Host", "Content-Type", "User-Agent", "webhook-id", "Content-Length"));
  EXPECT_EQ(seen.Header("user-agent"), "teleport-webhooks/test");
}

TEST_F(HttpTransportTest, SendsAHeaderWithoutAValue) {
  HttpReceiver receiver;
  HttpCall call = Call(Target(receiver.Url()), "{}");
  call.headers.emplace_back("X-Empty", "");
  transport_->Submit(std::move(call));
  EXPECT_EQ(Collect(1)[0].status, 200);
  EXPECT_EQ(receiver.seen().at(0).CountHeader("x-empty"), 1);
  EXPECT_EQ(receiver.seen().at(0).Header("x-empty"), "");
}

TEST_F(HttpTransportTest, SendsAnEmptyBodyAndALargeOneWithoutWaitingForPermission) {
  HttpReceiver receiver;
  EXPECT_EQ(Post(Target(receiver.Url()), "").status, 200);
  EXPECT_EQ(Post(Target(receiver.Url()), std::string(3'000'000, 'x')).status, 200);
  EXPECT_EQ(receiver.seen().at(0).Header("content-length"), "0");
  EXPECT_EQ(receiver.seen().at(1).body.size(), 3'000'000U);
  EXPECT_EQ(receiver.seen().at(1).CountHeader("expect"), 0);
}

TEST_F(HttpTransportTest, ReusesItsConnections) {
  HttpReceiver receiver;
  const auto target = Target(receiver.Url());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Post(target).status, 200);
  EXPECT_EQ(receiver.connections(), 1);
}

TEST_F(HttpTransportTest, RunsManyCallsAtOnceAndGivesTheirIdsBack) {
  HttpReceiver receiver;
  const auto target = Target(receiver.Url());
  std::vector<std::uint64_t> ids;
  for (std::uint64_t id = 1; id <= 64; ++id) transport_->Submit(Call(target, std::to_string(id), id));
  for (const HttpAnswer& answer : Collect(64)) {
    EXPECT_EQ(answer.status, 200);
    ids.push_back(answer.id);
  }
  std::sort(ids.begin(), ids.end());
  for (std::uint64_t id = 1; id <= 64; ++id) EXPECT_EQ(ids[id - 1], id);
}

TEST_F(HttpTransportTest, ReportsRedirectsWithoutFollowingThem) {
  HttpReceiver elsewhere;
  HttpReceiver receiver([&](const SeenRequest&, int) {
    return ScriptedReply{302, {{"Location", elsewhere.Url("/new")}}};
  });
  const HttpAnswer answer = Post(Target(receiver.Url()));
  EXPECT_EQ(answer.status, 302);
  EXPECT_EQ(answer.location, elsewhere.Url("/new"));
  EXPECT_EQ(elsewhere.count(), 0U);
}

TEST_F(HttpTransportTest, ReportsRetryAfterOfTheFinalAnswerOnly) {
  HttpReceiver receiver([](const SeenRequest&, int) {
    ScriptedReply reply;
    reply.raw =
        "HTTP/1.1 103 Early Hints\r\nRetry-After: 7\r\nLocation: /x\r\n\r\n"
        "HTTP/1.1 503 Busy\r\nretry-after:  120 \r\nContent-Length: 4\r\n\r\nbusy";
    return reply;
  });
  const HttpAnswer answer = Post(Target(receiver.Url()));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.retry_after, "120");
  EXPECT_EQ(answer.location, "");
  EXPECT_EQ(answer.body, "busy");
}

TEST_F(HttpTransportTest, ReadsAtMostSixtyFourKibOfAnAnswer) {
  HttpReceiver receiver([](const SeenRequest&, int) {
    return ScriptedReply{200, {}, std::string(5'000'000, 'x')};
  });
  const HttpAnswer answer = Post(Target(receiver.Url()));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body.size(), kMostAnswer);
}

TEST_F(HttpTransportTest, GivesUpOnAnEndlessHead) {
  HttpReceiver receiver([](const SeenRequest&, int) {
    ScriptedReply reply;
    reply.raw = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 20'000; ++i) reply.raw += "X-Filler: " + std::to_string(i) + "\r\n";
    reply.raw += "\r\n";
    return reply;
  });
  const HttpAnswer answer = Post(Target(receiver.Url()));
  EXPECT_EQ(answer.status, 0);
  EXPECT_THAT(answer.error, HasSubstr("head of the answer"));
}

TEST_F(HttpTransportTest, SaysThatALineOfTheHeadIsTooLong) {
  HttpReceiver receiver([](const SeenRequest&, int) {
    ScriptedReply reply;
    reply.raw = "HTTP/1.1 200 OK\r\nX-Filler: " + std::string(300'000, 'x') + "\r\n\r\n";
    return reply;
  });
  EXPECT_THAT(Post(Target(receiver.Url())).error, HasSubstr("line of the answer's head is too long"));
}

TEST_F(HttpTransportTest, KeepsNoCookies) {
  HttpReceiver receiver([](const SeenRequest&, int) {
    return ScriptedReply{200, {{"Set-Cookie", "session=1; Path=/"}}};
  });
  const auto target = Target(receiver.Url());
  Post(target);
  Post(target);
  EXPECT_EQ(receiver.seen().at(1).CountHeader("cookie"), 0);
}

TEST_F(HttpTransportTest, EndsAnAttemptAfterItsTimeout) {
  HttpReceiver receiver([](const SeenRequest&, int) {
    ScriptedReply reply;
    reply.hang = true;
    return reply;
  });
  auto target = Target(receiver.Url("/secret-path"));
  target->timeout = std::chrono::milliseconds(100);
  const HttpAnswer answer = Post(target);
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.failure, TransportFailure::kTimeout);
  EXPECT_THAT(answer.error, HasSubstr("timed out"));
  EXPECT_THAT(answer.error, Not(HasSubstr("secret-path")));
}

TEST_F(HttpTransportTest, NamesARefusedConnection) {
  const HttpAnswer answer =
      Post(Target("http://127.0.0.1:" + std::to_string(fakes::ClosedPort()) + "/secret-path"));
  EXPECT_EQ(answer.failure, TransportFailure::kConnect);
  EXPECT_EQ(answer.status, 0);
  EXPECT_THAT(answer.error, Not(IsEmpty()));
  EXPECT_THAT(answer.error, Not(HasSubstr("secret-path")));
}

TEST_F(HttpTransportTest, NamesAnUnknownHost) {
  const HttpAnswer answer = Post(Target("http://does-not-exist.invalid/secret-path"));
  EXPECT_EQ(answer.failure, TransportFailure::kName);
  EXPECT_THAT(answer.error, HasSubstr("does-not-exist.invalid"));
  EXPECT_THAT(answer.error, Not(HasSubstr("secret-path")));
}

TEST_F(HttpTransportTest, ReportsAReceiverThatHangsUp) {
  HttpReceiver receiver([](const SeenRequest&, int) {
    ScriptedReply reply;
    reply.hang_up = true;
    return reply;
  });
  const HttpAnswer answer = Post(Target(receiver.Url()));
  EXPECT_EQ(answer.status, 0);
  EXPECT_NE(answer.failure, TransportFailure::kNone);
  EXPECT_THAT(answer.error, Not(IsEmpty()));
}

TEST_F(HttpTransportTest, SpeaksNoOtherProtocol) {
  const HttpAnswer answer = Post(Target("file:///etc/passwd"));
  EXPECT_EQ(answer.status, 0);
  EXPECT_NE(answer.failure, TransportFailure::kNone);
}

TEST_F(HttpTransportTest, WakesFromAnotherThread) {
  std::jthread other([this] { transport_->Wake(); });
  const auto before = std::chrono::steady_clock::now();
  EXPECT_THAT(transport_->Poll(kPatience), IsEmpty());
  EXPECT_LT(std::chrono::steady_clock::now() - before, kPatience);
}

TEST_F(HttpTransportTest, CancelledCallsGetNoAnswer) {
  HttpReceiver receiver([](const SeenRequest& request, int) {
    ScriptedReply reply;
    reply.hang = request.body == "hang";
    return reply;
  });
  const auto target = Target(receiver.Url());
  transport_->Submit(Call(target, "hang", 1));
  transport_->Poll(std::chrono::milliseconds(50));
  transport_->CancelAll();
  transport_->Submit(Call(target, "fine", 2));
  EXPECT_EQ(Collect(1)[0].id, 2U);
}

// ---- proxies

TEST_F(HttpTransportTest, GoesThroughTheConfiguredProxyEvenWhenTheEnvironmentSaysNot) {
  HttpReceiver proxy;
  ASSERT_EQ(setenv("NO_PROXY", "*", 1), 0);
  auto target = Target("http://hooks.example.com/path");
  target->direct = false;
  target->proxy_url = Secret("http://user:proxy-password@127.0.0.1:" + std::to_string(proxy.port()));
  EXPECT_EQ(Post(target).status, 200);
  unsetenv("NO_PROXY");
  EXPECT_EQ(proxy.seen().at(0).target, "http://hooks.example.com/path");
  EXPECT_EQ(proxy.seen().at(0).Header("proxy-authorization"), "Basic dXNlcjpwcm94eS1wYXNzd29yZA==");
}

TEST_F(HttpTransportTest, ObeysTheEnvironmentsProxyUnlessToldToGoDirectly) {
  HttpReceiver proxy([](const SeenRequest&, int) { return ScriptedReply{502}; });
  HttpReceiver receiver;
  ASSERT_EQ(setenv("http_proxy", proxy.Url("").c_str(), 1), 0);
  auto target = Target(receiver.Url());
  EXPECT_EQ(Post(target).status, 200);
  auto through = Target("http://hooks.example.com/");
  through->direct = false;
  EXPECT_EQ(Post(through).status, 502);
  unsetenv("http_proxy");
}

TEST_F(HttpTransportTest, ReportsAProxyThatRefusesTheTunnelWithoutItsPassword) {
  HttpReceiver proxy([](const SeenRequest&, int) { return ScriptedReply{407, {{"Retry-After", "9"}}}; });
  auto target = Target("https://hooks.example.com/path");
  target->direct = false;
  target->proxy_url = Secret("http://user:proxy-password@127.0.0.1:" + std::to_string(proxy.port()));
  const HttpAnswer answer = Post(target);
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.retry_after, "");
  EXPECT_THAT(answer.error, HasSubstr("407"));
  EXPECT_THAT(answer.error, Not(HasSubstr("proxy-password")));
}

// ---- TLS

class TlsTransportTest : public HttpTransportTest {
 protected:
  TlsTransportTest() { std::filesystem::create_directories(dir_); }
  ~TlsTransportTest() override { std::filesystem::remove_all(dir_); }

  std::string Write(const std::string& name, const std::string& text) const {
    const auto path = dir_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  fakes::KeyPair Server(std::chrono::seconds ends = std::chrono::hours(1)) const {
    fakes::CertificateSpec spec;
    spec.common_name = "hooks";
    spec.dns_names = {"localhost"};
    spec.ip_addresses = {"127.0.0.1"};
    spec.starts = std::chrono::hours(-2);
    spec.ends = ends;
    return ca_.Issue(spec);
  }
  static ReceiverTls Tls(const fakes::KeyPair& pair) { return {pair.certificate_pem, pair.key_pem}; }
  std::shared_ptr<HttpTarget> Trusting(const HttpReceiver& receiver) const {
    auto target = Target(receiver.Url());
    target->ca_file = Write("ca.pem", ca_.pem());
    return target;
  }

  fakes::TestCa ca_;
  std::filesystem::path dir_ = std::filesystem::path(testing::TempDir()) /
                               ("tw_tls_" + std::to_string(::getpid()) + "_" +
                                testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(TlsTransportTest, TrustsTheConfiguredAuthority) {
  HttpReceiver receiver(nullptr, Tls(Server()));
  EXPECT_EQ(Post(Trusting(receiver)).status, 200);
}

TEST_F(TlsTransportTest, RefusesACertificateOfAnotherAuthorityAndSaysSo) {
  HttpReceiver receiver(nullptr, Tls(Server()));
  const HttpAnswer answer = Post(Target(receiver.Url()));
  EXPECT_EQ(answer.failure, TransportFailure::kTls);
  EXPECT_THAT(answer.error, HasSubstr("certificate"));
  EXPECT_EQ(receiver.count(), 0U);
}

TEST_F(TlsTransportTest, RefusesAnExpiredCertificateAndSaysSo) {
  HttpReceiver receiver(nullptr, Tls(Server(std::chrono::hours(-1))));
  const HttpAnswer answer = Post(Trusting(receiver));
  EXPECT_EQ(answer.failure, TransportFailure::kTls);
  EXPECT_THAT(answer.error, HasSubstr("expired"));
}

TEST_F(TlsTransportTest, RefusesACertificateForAnotherNameAndSaysSo) {
  fakes::CertificateSpec spec;
  spec.common_name = "other";
  spec.dns_names = {"other.example.com"};
  HttpReceiver receiver(nullptr, Tls(ca_.Issue(spec)));
  const HttpAnswer answer = Post(Trusting(receiver));
  EXPECT_EQ(answer.failure, TransportFailure::kTls);
  EXPECT_THAT(answer.error, HasSubstr("127.0.0.1"));
}

TEST_F(TlsTransportTest, SkipsVerificationOnlyWhenAsked) {
  HttpReceiver receiver(nullptr, Tls(Server(std::chrono::hours(-1))));
  auto target = Target(receiver.Url());
  target->insecure_skip_verify = true;
  EXPECT_EQ(Post(target).status, 200);
}

TEST_F(TlsTransportTest, ShowsItsClientCertificate) {
  ReceiverTls tls = Tls(Server());
  tls.client_ca_pem = ca_.pem();
  HttpReceiver receiver(nullptr, tls);
  auto target = Trusting(receiver);
  EXPECT_NE(Post(target).failure, TransportFailure::kNone);
  fakes::CertificateSpec spec;
  spec.common_name = "webhooks";
  const fakes::KeyPair client = ca_.Issue(spec);
  auto with_certificate = Trusting(receiver);
  with_certificate->cert_file = Write("client.crt", client.certificate_pem);
  with_certificate->key_file = Write("client.key", client.key_pem);
  EXPECT_EQ(Post(with_certificate).status, 200);
  EXPECT_TRUE(receiver.seen().at(0).client_certificate);
}

TEST_F(TlsTransportTest, NamesAnAuthorityFileThatIsMissing) {
  HttpReceiver receiver(nullptr, Tls(Server()));
  auto target = Target(receiver.Url());
  target->ca_file = (dir_ / "missing.pem").string();
  const HttpAnswer answer = Post(target);
  EXPECT_EQ(answer.failure, TransportFailure::kTls);
  EXPECT_THAT(answer.error, HasSubstr("missing.pem"));
}

TEST_F(TlsTransportTest, ReadsARenewedAuthorityFileAgain) {
  const fakes::TestCa other("other");
  HttpReceiver receiver(nullptr, Tls(Server()));
  auto target = Target(receiver.Url());
  target->ca_file = Write("ca.pem", other.pem());
  EXPECT_EQ(Post(target).failure, TransportFailure::kTls);
  Write("ca.pem", ca_.pem());
  EXPECT_EQ(Post(target).status, 200);
}

}  // namespace
}  // namespace tw::webhook
