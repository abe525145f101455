// Every way in, found out by itself or forced.
#include "teleport/route.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <list>

#include "crypto/certificate.h"
#include "crypto/private_key.h"
#include "fake_auth_service.h"
#include "fakes/fake_clock.h"
#include "teleport_test_util.h"

namespace tw::teleport {
namespace {

using config::Route;
using fakes::FakeAuthOptions;
using fakes::FakeAuthService;
using fakes::Front;
using fakes::ScriptedAuth;

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// An HTTP proxy for CONNECT: forwards bytes to where it is told, or refuses. With a key pair it speaks TLS.
class ConnectProxy {
 public:
  explicit ConnectProxy(int status = 200, const fakes::KeyPair& tls = {})
      : status_(status), tls_(MakeServerContext(tls)), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&any), sizeof(any)), 0);
    EXPECT_EQ(::listen(fd_.get(), 8), 0);
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        UniqueFd client(::accept(fd_.get(), nullptr, nullptr));
        if (client) workers_.emplace_back([this, fd = std::move(client)]() mutable { Serve(std::move(fd)); });
      }
    });
  }
  ~ConnectProxy() {
    thread_.request_stop();
    ::shutdown(fd_.get(), SHUT_RDWR);
  }
  std::string url() const {
    sockaddr_in bound{};
    socklen_t size = sizeof(bound);
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    return std::string(tls_ ? "https" : "http") +
           "://user:secret@127.0.0.1:" + std::to_string(ntohs(bound.sin_port));
  }
  std::string seen() const {
    std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  using Context = Openssl<SSL_CTX>;
  static Context MakeServerContext(const fakes::KeyPair& pair) {
    if (pair.key_pem.empty()) return nullptr;
    Context context(SSL_CTX_new(TLS_server_method()));
    const auto certificates = crypto::ReadCertificates(pair.certificate_pem).value();
    const auto key = crypto::ReadPrivateKey(pair.key_pem).value();
    const auto bytes = [](const std::string& text) {
      return reinterpret_cast<const unsigned char*>(text.data());
    };
    const std::string& der = certificates.front().der;
    EXPECT_EQ(SSL_CTX_use_certificate_ASN1(context.get(), static_cast<int>(der.size()), bytes(der)), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context.get(), crypto::ParsePrivateKey(key.Reveal()).get()), 1);
    return context;
  }
  void Serve(UniqueFd fd) {
    Tunnel tunnel(std::move(fd));
    if (tls_) {
      Openssl<SSL> ssl(SSL_new(tls_.get()));
      SSL_set_fd(ssl.get(), tunnel.fd());
      if (SSL_accept(ssl.get()) != 1) return;
      UniqueFd socket = tunnel.TakeEnd();
      ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
      if (!tunnel.Add(MakeTlsFarEnd(std::move(ssl), std::move(socket), "client", ""))) return;
      ::fcntl(tunnel.fd(), F_SETFL, 0);
    }
    Talk(tunnel.fd());
  }
  void Talk(int client) {
    std::string head;
    char byte = 0;
    while (!head.ends_with("\r\n\r\n") && ::recv(client, &byte, 1, 0) == 1) head += byte;
    {
      std::lock_guard lock(mutex_);
      seen_ = head;
    }
    const std::string answer = "HTTP/1.1 " + std::to_string(status_) + " x\r\n\r\n";
    ::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
    if (status_ != 200) return;
    const std::size_t colon = head.find(':');
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(head.substr(colon + 1))));
    const UniqueFd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(server.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0) return;
    pollfd ends[2] = {{client, POLLIN, 0}, {server.get(), POLLIN, 0}};
    while (::poll(ends, 2, -1) > 0) {
      for (int from = 0; from < 2; ++from) {
        if (ends[from].revents == 0) continue;
        char buffer[16384];
        const ssize_t got = ::recv(ends[from].fd, buffer, sizeof(buffer), 0);
        if (got <= 0) return;
        ::send(ends[1 - from].fd, buffer, static_cast<std::size_t>(got), MSG_NOSIGNAL);
      }
    }
  }

  const int status_;
  const Context tls_;
  UniqueFd fd_;
  mutable std::mutex mutex_;
  std::string seen_;
  std::list<std::jthread> workers_;
  std::jthread thread_;
};

class RouteTest : public testing::Test {
 protected:
  RouteTest() {
    service_.ping = [](grpc::ServerContext*, proto::PingResponse* answer) {
      answer->set_serverversion("16.4.0");
      return grpc::Status::OK;
    };
  }
  FakeAuthOptions Options(Front front) {
    FakeAuthOptions options;
    options.front = front;
    const auto pair = hosts_.IssueAuthServer();
    options.server_key = pair.key_pem;
    options.server_certificate = pair.certificate_pem;
    options.user_ca = users_.pem();
    if (front != Front::kAuth) {
      fakes::CertificateSpec spec;
      spec.common_name = "127.0.0.1";
      spec.ip_addresses = {"127.0.0.1"};
      // A load balancer's certificate must be trusted; a proxy's own need not.
      const auto web = front == Front::kProxy ? strangers_.Issue(spec) : hosts_.Issue(spec);
      options.web_key = web.key_pem;
      options.web_certificate = web.certificate_pem;
    }
    options.find_body =
        R"({"proxy":{"tls_routing_enabled":true},"server_version":"16.4.0","cluster_name":"from-find"})";
    return options;
  }
  Result<access::ClusterInfo> Ping(const FakeAuthService& server, Route route = Route::kAuto,
                                   const std::string& proxy = {}) {
    auto settings = WriteTriple(directory_, users_.IssueUser("plugin"), hosts_.pem());
    settings.addr = server.address();
    settings.route = route;
    settings.proxy_url = proxy;
    client_ = MakeTeleportClient(settings, clock_, log_).value();
    return client_->Ping(Soon());
  }

  fakes::TestCa hosts_{"example"}, users_{"example"}, strangers_{"strangers"};
  TemporaryDirectory directory_;
  RealClock clock_;
  fakes::FakeLogger log_;
  ScriptedAuth service_;
  std::unique_ptr<TeleportClient> client_;
};

TEST_F(RouteTest, FindsAnAuthService) {
  FakeAuthService server(Options(Front::kAuth), service_);
  const auto info = Ping(server);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->route, "auth");
  EXPECT_TRUE(log_.Said("route=auth"));
}

TEST_F(RouteTest, FindsAProxyAndTakesTheClusterNameItTells) {
  FakeAuthService server(Options(Front::kProxy), service_);
  const auto info = Ping(server);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->route, "proxy");
  const auto last = server.hellos().back();
  EXPECT_EQ(last.alpn,
            (std::vector<std::string>{"teleport-auth@66726f6d2d66696e64.teleport.cluster.local", "h2"}));
  EXPECT_EQ(last.server_name, "teleport.cluster.local");
  EXPECT_TRUE(log_.Said("cluster=from-find cluster_name_from=proxy"));
}

TEST_F(RouteTest, TakesTheClusterNameOfTheCertificateWhereTheProxyTellsNone) {
  FakeAuthOptions options = Options(Front::kProxy);
  options.find_body = R"({"proxy":{"tls_routing_enabled":true},"server_version":"8.3.21"})";
  FakeAuthService server(options, service_);
  ASSERT_TRUE(Ping(server));
  EXPECT_EQ(server.hellos().back().alpn.front(), "teleport-auth@6578616d706c65.teleport.cluster.local");
  EXPECT_TRUE(log_.Said("cluster=example cluster_name_from=certificate"));
}

TEST_F(RouteTest, AProxyThatKeepsItsConnectionsOpenIsUnderstoodAtOnce) {
  FakeAuthOptions options = Options(Front::kProxy);
  options.find_form = fakes::FindForm::kLength;
  FakeAuthService server(options, service_);
  const auto info = Ping(server);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(server.hellos().back().alpn.front(), ProxyProtocol("from-find"));
}

TEST_F(RouteTest, AFrontThatAnswersInChunksAndTakesNoOldHttpIsUnderstood) {
  for (const Front front : {Front::kProxy, Front::kLoadBalancer}) {
    FakeAuthOptions options = Options(front);
    options.find_form = fakes::FindForm::kChunks;
    FakeAuthService server(options, service_);
    const auto info = Ping(server);
    ASSERT_TRUE(info) << info.error().message;
    EXPECT_EQ(server.hellos().back().alpn.front(), ProxyProtocol("from-find"));
    client_.reset();
  }
}

// Some load balancers close the connection on a name that is not theirs, without an alert.
TEST_F(RouteTest, AFrontThatHangsUpOnForeignNamesIsFoundToBeALoadBalancer) {
  FakeAuthOptions options = Options(Front::kLoadBalancer);
  options.hangs_up_on_auth_name = true;
  // The Auth Service behind it must answer to its name all the same.
  FakeAuthService server(options, service_);
  const auto info = Ping(server);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->route, "proxy-upgrade");
}

TEST_F(RouteTest, AClusterNameTooLongForTlsIsAnErrorAndNotCutShort) {
  FakeAuthOptions options = Options(Front::kProxy);
  options.find_body = R"({"proxy":{"tls_routing_enabled":true},"cluster_name":")" + std::string(300, 'x') +
                      R"(","server_version":"16.4.0"})";
  FakeAuthService server(options, service_);
  for (const Route route : {Route::kProxy, Route::kAuto}) {
    const auto info = Ping(server, route);
    ASSERT_FALSE(info);
    EXPECT_TRUE(Has(info.error().message, "has 637 bytes, and TLS allows 255")) << info.error().message;
    EXPECT_TRUE(Has(info.error().hint, "cluster name")) << info.error().hint;
  }
  for (const auto& hello : server.hellos()) {
    for (const auto& protocol : hello.alpn) EXPECT_FALSE(Has(protocol, "teleport-auth@")) << protocol;
  }
}

TEST_F(RouteTest, SaysThatAProxyHasNoTlsRouting) {
  FakeAuthOptions options = Options(Front::kLoadBalancer);  // ends every TLS connection, as such a proxy does
  options.find_body = R"({"proxy":{"tls_routing_enabled":false},"server_version":"12.4.0"})";
  options.upgrade_known = false;
  FakeAuthService server(options, service_);
  for (const Route route : {Route::kProxy, Route::kAuto}) {
    const auto info = Ping(server, route);
    ASSERT_FALSE(info);
    EXPECT_TRUE(Has(info.error().message, "Teleport 12.4.0 proxy without TLS routing"))
        << info.error().message;
    EXPECT_TRUE(Has(info.error().hint, "3025")) << info.error().hint;
  }
}

TEST_F(RouteTest, SaysThatALoadBalancerIsInTheWayOfTheProxyRoute) {
  FakeAuthService server(Options(Front::kLoadBalancer), service_);
  const auto info = Ping(server, Route::kProxy);
  ASSERT_FALSE(info);
  EXPECT_TRUE(Has(info.error().message, "in between ends the TLS connection")) << info.error().message;
  EXPECT_TRUE(Has(info.error().hint, "proxy-upgrade")) << info.error().hint;
}

TEST_F(RouteTest, RemembersTheWayItFound) {
  FakeAuthService server(Options(Front::kProxy), service_);
  ASSERT_TRUE(Ping(server));
  const std::size_t before = server.hellos().size();
  server.DropAll();
  if (!client_->Ping(Soon())) {
    ASSERT_TRUE(client_->Ping(Soon()));
  }
  EXPECT_EQ(server.hellos().size(), before + 1) << "one handshake, nothing asked again";
}

TEST_F(RouteTest, LooksAgainAtOnceWhenTheAddressHasBecomeAnotherService) {
  FakeAuthOptions options = Options(Front::kAuth);
  std::optional<FakeAuthService> server(std::in_place, options, service_);
  ASSERT_TRUE(Ping(*server));
  const std::string address = server->address();
  const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1)));
  for (const auto& [front, route] :
       {std::pair{Front::kLoadBalancer, "proxy-upgrade"}, std::pair{Front::kProxy, "proxy"}}) {
    server.reset();
    options = Options(front);
    options.port = port;
    server.emplace(options, service_);
    auto info = client_->Ping(Soon());
    if (!info) info = client_->Ping(Soon());  // the first may still see the old connection break
    ASSERT_TRUE(info) << info.error().message;
    EXPECT_EQ(info->route, route);
  }
}

TEST_F(RouteTest, WhatOnceWorkedIsToldWhenNothingElseWorks) {
  FakeAuthOptions options = Options(Front::kLoadBalancer);
  std::optional<FakeAuthService> server(std::in_place, options, service_);
  ASSERT_TRUE(Ping(*server));
  const std::string address = server->address();
  server.reset();
  options.port = static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1)));
  options.find_body = "no healthy upstream";
  options.upgrade_known = false;
  server.emplace(options, service_);
  auto info = client_->Ping(Soon());
  if (!info && Has(info.error().message, " lost")) info = client_->Ping(Soon());
  ASSERT_FALSE(info);
  EXPECT_TRUE(Has(info.error().message, "connection upgrade at " + address)) << info.error().message;
}

TEST_F(RouteTest, ASearchInVainIsNotRepeatedAtEveryDial) {
  FakeAuthOptions options = Options(Front::kAuth);
  const auto stranger = strangers_.IssueAuthServer();
  options.server_key = stranger.key_pem;
  options.server_certificate = stranger.certificate_pem;
  FakeAuthService server(options, service_);
  const auto first = Ping(server);
  ASSERT_FALSE(first);
  const std::size_t whole = server.hellos().size();
  ASSERT_GT(whole, 1U);
  for (std::size_t dial = 1; dial <= 3; ++dial) {
    const auto again = client_->Ping(Soon());
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().message, first.error().message);
    EXPECT_EQ(server.hellos().size(), whole + dial);
  }
  ASSERT_FALSE(client_->Ping(Soon()));
  EXPECT_EQ(server.hellos().size(), whole + 3 + whole) << "but it is repeated";
}

TEST_F(RouteTest, AForcedProxyIsAskedForItsClusterAgainAfterAFailure) {
  FakeAuthService server(Options(Front::kProxy), service_);
  const auto asked = [&] {
    const auto hellos = server.hellos();
    return std::count_if(hellos.begin(), hellos.end(), [](const auto& hello) {
      return hello.alpn == std::vector<std::string>{"http/1.1"};
    });
  };
  ASSERT_TRUE(Ping(server, Route::kProxy));
  EXPECT_EQ(asked(), 1);
  const auto other = strangers_.IssueAuthServer();
  server.Rotate(other.key_pem, other.certificate_pem, users_.pem());
  server.DropAll();
  EXPECT_FALSE(client_->Ping(Soon()) && client_->Ping(Soon()));
  const auto own = hosts_.IssueAuthServer();
  server.Rotate(own.key_pem, own.certificate_pem, users_.pem());
  const auto before = asked();
  ASSERT_TRUE(client_->Ping(Soon()));
  EXPECT_EQ(asked(), before + 1);
}

TEST_F(RouteTest, FindsAProxyBehindALoadBalancer) {
  FakeAuthService server(Options(Front::kLoadBalancer), service_);
  const auto info = Ping(server);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->route, "proxy-upgrade");
}

TEST_F(RouteTest, CarriesMuchThroughTheWebSocket) {
  FakeAuthService server(Options(Front::kLoadBalancer), service_);
  constexpr int kEvents = 3000;
  service_.watch = [&](grpc::ServerContext*, const proto::Watch&, grpc::ServerWriter<proto::Event>* writer) {
    writer->Write(proto::Event());
    for (int i = 0; i < kEvents; ++i) {
      proto::Event event;
      event.set_type(proto::PUT);
      event.mutable_accessrequest()->mutable_metadata()->set_name("r" + std::to_string(i));
      event.mutable_accessrequest()->mutable_spec()->set_requestreason(std::string(2000, 'x'));
      writer->Write(event);
    }
    return grpc::Status::OK;
  };
  ASSERT_TRUE(Ping(server, Route::kProxyUpgrade));
  auto stream = client_->Watch({});
  ASSERT_TRUE(stream);
  std::size_t seen = 0;
  for (;;) {
    const auto changes = (*stream)->Read(1000, std::chrono::seconds(10));
    if (!changes || changes->empty()) break;
    seen += changes->size();
  }
  EXPECT_EQ(seen, static_cast<std::size_t>(kEvents) + 1);
}

TEST_F(RouteTest, SaysWhenTheProxyIsTooOldForConnectionUpgrades) {
  FakeAuthOptions options = Options(Front::kLoadBalancer);
  options.upgrade_known = false;
  FakeAuthService server(options, service_);
  const auto info = Ping(server);
  ASSERT_FALSE(info);
  EXPECT_TRUE(Has(info.error().message, "older than Teleport 15.1")) << info.error().message;
}

TEST_F(RouteTest, DoesNotTrustAnyLoadBalancer) {
  FakeAuthOptions options = Options(Front::kLoadBalancer);
  fakes::CertificateSpec spec;
  spec.ip_addresses = {"127.0.0.1"};
  const auto web = strangers_.Issue(spec);
  options.web_key = web.key_pem;
  options.web_certificate = web.certificate_pem;
  FakeAuthService server(options, service_);
  const auto info = Ping(server, Route::kProxyUpgrade);
  ASSERT_FALSE(info);
  EXPECT_TRUE(Has(info.error().message, "is not trusted by this system")) << info.error().message;
}

TEST_F(RouteTest, AForcedRouteIsTheOnlyOneTried) {
  FakeAuthService server(Options(Front::kProxy), service_);
  const auto info = Ping(server, Route::kAuth);
  ASSERT_FALSE(info);
  EXPECT_TRUE(Has(info.error().message, "no CA in") && Has(info.error().hint, "teleport.route"))
      << info.error().message;
  EXPECT_TRUE(Ping(server, Route::kProxy));
}

TEST_F(RouteTest, AnAuthServiceIsReachedOnTheProxyRouteToo) {
  FakeAuthService server(Options(Front::kAuth), service_);
  EXPECT_TRUE(Ping(server, Route::kProxy)) << "it ignores the protocol that names the route";
}

TEST_F(RouteTest, EveryRouteGoesThroughAnHttpProxy) {
  for (const Front front : {Front::kAuth, Front::kProxy, Front::kLoadBalancer}) {
    FakeAuthService server(Options(front), service_);
    const ConnectProxy proxy;
    const auto info = Ping(server, Route::kAuto, proxy.url());
    ASSERT_TRUE(info) << info.error().message;
    EXPECT_TRUE(Has(proxy.seen(), "CONNECT " + server.address() + " HTTP/1.1\r\n")) << proxy.seen();
    EXPECT_TRUE(Has(proxy.seen(), "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n"));
    client_.reset();
  }
}

TEST_F(RouteTest, SaysThatTheHttpProxyRefusedWithoutShowingItsPassword) {
  FakeAuthService server(Options(Front::kAuth), service_);
  const ConnectProxy proxy(407);
  const auto info = Ping(server, Route::kAuto, proxy.url());
  ASSERT_FALSE(info);
  EXPECT_TRUE(Has(info.error().message, "status 407")) << info.error().message;
  EXPECT_FALSE(Has(info.error().message, "secret"));
}

TEST_F(RouteTest, AnHttpProxyThatIsAskedOverTlsMustBeTrustedByTheSystem) {
  fakes::CertificateSpec spec;
  spec.ip_addresses = {"127.0.0.1"};
  FakeAuthService server(Options(Front::kAuth), service_);
  const ConnectProxy proxy(200, strangers_.Issue(spec));
  const auto refused = Ping(server, Route::kAuto, proxy.url());
  ASSERT_FALSE(refused);
  EXPECT_TRUE(Has(refused.error().message, "is not trusted by this system")) << refused.error().message;
  ASSERT_EQ(::setenv("SSL_CERT_FILE", directory_.Write("web.pem", strangers_.pem()).c_str(), 1), 0);
  const auto info = Ping(server, Route::kAuto, proxy.url());
  ::unsetenv("SSL_CERT_FILE");
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_TRUE(Has(proxy.seen(), "CONNECT " + server.address() + " HTTP/1.1\r\n")) << proxy.seen();
  client_.reset();
}

TEST_F(RouteTest, TroubleWithTheHttpProxyNamesItsSettingAndNotTheAddress) {
  FakeAuthService server(Options(Front::kAuth), service_);
  for (const char* url : {"http://127.0.0.1:1", "http://nobody.invalid:3128"}) {
    const auto info = Ping(server, Route::kAuto, url);
    ASSERT_FALSE(info);
    EXPECT_TRUE(Has(info.error().message, std::string("HTTP proxy ") + url)) << info.error().message;
    EXPECT_EQ(info.error().hint, "check teleport.proxy_url");
  }
}

TEST(ProxyFacts, AreReadFromTheFormsOfOldAndNewProxies) {
  EXPECT_EQ(ParseProxyFacts(R"({"proxy":{},"cluster_name":"c"})")->cluster, "c");
  EXPECT_EQ(ParseProxyFacts(R"({"proxy":{},"server_version":"8.3"})")->cluster, "");
  EXPECT_EQ(ParseProxyFacts(R"({"proxy":{},"cluster_name":7})")->cluster, "");
  EXPECT_FALSE(ParseProxyFacts(R"({"something":"else"})"));
  EXPECT_FALSE(ParseProxyFacts("<html>"));
}

}  // namespace
}  // namespace tw::teleport
