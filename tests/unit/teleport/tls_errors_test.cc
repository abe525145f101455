// What goes wrong while dialling is told by its true cause.
#include <arpa/inet.h>
#include <sys/socket.h>

#include "fake_auth_service.h"
#include "fakes/fake_clock.h"
#include "teleport_test_util.h"

namespace tw::teleport {
namespace {

using fakes::CertificateSpec;
using fakes::FakeAuthOptions;
using fakes::FakeAuthService;
using fakes::ScriptedAuth;

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// A listener that does with each connection what the test wants.
class PlainListener {
 public:
  explicit PlainListener(std::string answer, bool accept = true)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&any), sizeof(any)), 0);
    EXPECT_EQ(::listen(fd_.get(), 8), 0);
    if (!accept) return;
    thread_ = std::jthread([this, answer](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        UniqueFd client(::accept(fd_.get(), nullptr, nullptr));
        if (!client || stop.stop_requested()) return;
        ::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
        char buffer[4096];
        while (::recv(client.get(), buffer, sizeof(buffer), 0) > 0) continue;
      }
    });
  }
  ~PlainListener() {
    thread_.request_stop();
    ::shutdown(fd_.get(), SHUT_RDWR);
  }
  std::string address() const {
    sockaddr_in bound{};
    socklen_t size = sizeof(bound);
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    return "127.0.0.1:" + std::to_string(ntohs(bound.sin_port));
  }

 private:
  UniqueFd fd_;
  std::jthread thread_;
};

class TlsErrors : public testing::Test {
 protected:
  TlsErrors() {
    service_.ping = [](grpc::ServerContext*, proto::PingResponse*) { return grpc::Status::OK; };
  }
  static FakeAuthOptions ServerWith(const fakes::KeyPair& pair, const std::string& user_ca) {
    FakeAuthOptions options;
    options.server_key = pair.key_pem;
    options.server_certificate = pair.certificate_pem;
    options.user_ca = user_ca;
    return options;
  }
  Error PingError(const FakeAuthOptions& options, const fakes::KeyPair& ours, const std::string& cas,
                  config::Route route = config::Route::kAuth) {
    FakeAuthService server(options, service_);
    return PingErrorAt(server.address(), ours, cas, route);
  }
  Error PingErrorAt(const std::string& addr, const fakes::KeyPair& ours, const std::string& cas,
                    config::Route route = config::Route::kAuth) {
    auto settings = WriteTriple(directory_, ours, cas);
    settings.addr = addr;
    settings.route = route;
    settings.connect_timeout = std::chrono::milliseconds(1500);
    auto client = MakeTeleportClient(settings, clock_, log_);
    EXPECT_TRUE(client);
    const auto info = (*client)->Ping(Soon());
    EXPECT_FALSE(info);
    return info ? Error{} : info.error();
  }

  fakes::TestCa hosts_{"example"}, users_{"example"};
  TemporaryDirectory directory_;
  RealClock clock_;
  fakes::FakeLogger log_;
  ScriptedAuth service_;
};

TEST_F(TlsErrors, OurCertificateExpired) {
  CertificateSpec spec;
  spec.common_name = "plugin";
  spec.starts = std::chrono::hours(-2);
  spec.ends = std::chrono::hours(-1);
  const Error error =
      PingError(ServerWith(hosts_.IssueAuthServer(), users_.pem()), users_.Issue(spec), hosts_.pem());
  EXPECT_EQ(error.kind, ErrorKind::kCredentials);
  EXPECT_TRUE(Has(error.message, "our client certificate") && Has(error.message, "crt.pem") &&
              Has(error.message, "expired on 20"))
      << error.message;
}

TEST_F(TlsErrors, OurCertificateIsNotValidYet) {
  CertificateSpec spec;
  spec.common_name = "plugin";
  spec.starts = std::chrono::hours(1);
  spec.ends = std::chrono::hours(2);
  const Error error =
      PingError(ServerWith(hosts_.IssueAuthServer(), users_.pem()), users_.Issue(spec), hosts_.pem());
  EXPECT_TRUE(Has(error.message, "not valid before") && Has(error.hint, "clock")) << error.message;
}

TEST_F(TlsErrors, AnotherClustersCa) {
  const fakes::TestCa other("other");
  const Error error =
      PingError(ServerWith(hosts_.IssueAuthServer(), users_.pem()), users_.IssueUser("plugin"), other.pem());
  EXPECT_EQ(error.kind, ErrorKind::kCredentials);
  EXPECT_TRUE(Has(error.message, "no CA in") && Has(error.message, "cas.pem") &&
              Has(error.message, "CN=other"))
      << error.message;
}

TEST_F(TlsErrors, AnotherName) {
  CertificateSpec spec;
  spec.common_name = "web";
  spec.dns_names = {"www.example.com"};
  const Error error =
      PingError(ServerWith(hosts_.Issue(spec), users_.pem()), users_.IssueUser("plugin"), hosts_.pem());
  EXPECT_TRUE(Has(error.message, "for www.example.com, not for teleport.cluster.local")) << error.message;
}

// A user may be called like the Auth Service: what counts is the name the certificate was issued for.
TEST_F(TlsErrors, TheRightNameInTheWrongPlace) {
  CertificateSpec spec;
  spec.common_name = "teleport.cluster.local";
  const Error error =
      PingError(ServerWith(hosts_.Issue(spec), users_.pem()), users_.IssueUser("plugin"), hosts_.pem());
  EXPECT_TRUE(Has(error.message, "for no name at all, not for teleport.cluster.local")) << error.message;
}

TEST_F(TlsErrors, TheServersCertificateExpired) {
  CertificateSpec spec;
  spec.dns_names = {"teleport.cluster.local"};
  spec.starts = std::chrono::hours(-2);
  spec.ends = std::chrono::hours(-1);
  const Error error =
      PingError(ServerWith(hosts_.Issue(spec), users_.pem()), users_.IssueUser("plugin"), hosts_.pem());
  EXPECT_TRUE(Has(error.message, "presents") && Has(error.message, "expired on 20")) << error.message;
}

TEST_F(TlsErrors, TheServersCertificateIsFromTheFuture) {
  CertificateSpec spec;
  spec.dns_names = {"teleport.cluster.local"};
  spec.starts = std::chrono::hours(1);
  spec.ends = std::chrono::hours(2);
  const Error error =
      PingError(ServerWith(hosts_.Issue(spec), users_.pem()), users_.IssueUser("plugin"), hosts_.pem());
  EXPECT_TRUE(Has(error.message, "not valid before") && Has(error.hint, "clock")) << error.message;
}

TEST_F(TlsErrors, TheHostCaExpired) {
  const fakes::TestCa old("example", std::chrono::hours(-1));
  const Error error =
      PingError(ServerWith(old.IssueAuthServer(), users_.pem()), users_.IssueUser("plugin"), old.pem());
  EXPECT_TRUE(Has(error.message, "CA certificate") && Has(error.message, "expired on 20")) << error.message;
}

TEST_F(TlsErrors, TheServerRefusesOurCertificate) {
  const fakes::TestCa strangers("strangers");
  const Error error = PingError(ServerWith(hosts_.IssueAuthServer(), users_.pem()),
                                strangers.IssueUser("plugin"), hosts_.pem());
  EXPECT_EQ(error.kind, ErrorKind::kCredentials) << error.message;
  EXPECT_TRUE(Has(error.message, "refused our client certificate") && Has(error.message, "user plugin") &&
              Has(error.message, "strangers"))
      << error.message;
}

TEST_F(TlsErrors, NothingListens) {
  std::string address;
  {
    const PlainListener gone("", false);
    address = gone.address();
  }
  const Error error = PingErrorAt(address, users_.IssueUser("plugin"), hosts_.pem());
  EXPECT_EQ(error.kind, ErrorKind::kUnreachable);
  EXPECT_TRUE(Has(error.message, address + " refused the connection")) << error.message;
}

TEST_F(TlsErrors, TheOtherEndStaysSilent) {
  const PlainListener silent("", false);  // the kernel accepts, nobody answers
  const Error error = PingErrorAt(silent.address(), users_.IssueUser("plugin"), hosts_.pem());
  EXPECT_EQ(error.kind, ErrorKind::kUnreachable);
  EXPECT_TRUE(Has(error.message, "did not answer in time")) << error.message;
}

TEST_F(TlsErrors, TheOtherEndSpeaksNoTls) {
  const PlainListener ssh("SSH-2.0-Go\r\n");
  const Error error =
      PingErrorAt(ssh.address(), users_.IssueUser("plugin"), hosts_.pem(), config::Route::kAuto);
  EXPECT_EQ(error.kind, ErrorKind::kUnreachable);
  EXPECT_TRUE(Has(error.message, "does not speak TLS")) << error.message;
}

TEST_F(TlsErrors, TheNameDoesNotExist) {
  const Error error = PingErrorAt("no-such-host.invalid:3025", users_.IssueUser("plugin"), hosts_.pem());
  EXPECT_EQ(error.kind, ErrorKind::kUnreachable);
  EXPECT_TRUE(Has(error.message, "no-such-host.invalid")) << error.message;
}

TEST_F(TlsErrors, AServerWithoutHttp2) {
  FakeAuthOptions options = ServerWith(hosts_.IssueAuthServer(), users_.pem());
  options.alpn = "http/1.1";
  const Error error = PingError(options, users_.IssueUser("plugin"), hosts_.pem());
  EXPECT_TRUE(Has(error.message, "HTTP/2")) << error.message;
}

}  // namespace
}  // namespace tw::teleport
