// `check` names the true cause of each broken set-up.
#include "teleport/diagnose.h"

#include <sys/stat.h>

#include <ctime>

#include "fake_auth_service.h"
#include "fakes/fake_clock.h"
#include "teleport_test_util.h"

namespace tw::teleport {
namespace {

using fakes::FakeAuthOptions;
using fakes::FakeAuthService;
using fakes::Front;
using fakes::ScriptedAuth;
using std::chrono::hours;

class DiagnoseTest : public testing::Test {
 protected:
  DiagnoseTest() {
    service_.ping = [this](grpc::ServerContext*, proto::PingResponse* answer) {
      answer->set_clustername("example");
      answer->set_serverversion(version_);
      return grpc::Status::OK;
    };
    service_.role = [this](const std::string& name, types::RoleV6* role) {
      role->mutable_metadata()->set_name(name);
      auto* rule = role->mutable_spec()->mutable_allow()->add_rules();
      rule->add_resources("access_request");
      for (const auto& verb : verbs_) rule->add_verbs(verb);
      return grpc::Status::OK;
    };
    service_.watch = [](grpc::ServerContext* context, const proto::Watch&,
                        grpc::ServerWriter<proto::Event>* writer) {
      writer->Write(proto::Event());
      while (!context->IsCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return grpc::Status::OK;
    };
  }
  FakeAuthOptions Options(Front front = Front::kAuth) {
    FakeAuthOptions options;
    options.front = front;
    const auto pair = hosts_.IssueAuthServer();
    options.server_key = pair.key_pem;
    options.server_certificate = pair.certificate_pem;
    options.user_ca = users_.pem();
    fakes::CertificateSpec web;
    web.common_name = "127.0.0.1";
    web.ip_addresses = {"127.0.0.1"};
    const auto web_pair = web_ca_.Issue(web);
    options.web_key = web_pair.key_pem;
    options.web_certificate = web_pair.certificate_pem;
    options.find_body =
        R"({"proxy":{"tls_routing_enabled":true},"server_version":"16.4.0","cluster_name":"example"})";
    return options;
  }
  config::TeleportSettings Settings(const std::string& addr, const fakes::KeyPair& pair) {
    auto settings = WriteTriple(directory_, pair, hosts_.pem());
    ::chmod(settings.client_key.c_str(), 0600);
    settings.addr = addr;
    settings.connect_timeout = std::chrono::milliseconds(1500);
    return settings;
  }
  std::vector<Finding> Look(const config::TeleportSettings& settings) {
    return Diagnose(settings, options_, clock_, Soon());
  }
  // The first problem as "exit code: text | remedy"; empty when there is none.
  static std::string FirstProblem(const std::vector<Finding>& findings) {
    for (const Finding& one : findings) {
      if (one.severity == Severity::kProblem)
        return std::to_string(ExitCode(one.kind)) + ": " + one.what + " | " + one.remedy;
    }
    return {};
  }
  static bool Warns(const std::vector<Finding>& findings, const std::string& part) {
    return std::any_of(findings.begin(), findings.end(), [&](const Finding& one) {
      return one.severity == Severity::kWarning && one.what.find(part) != std::string::npos;
    });
  }
  void ExpectProblem(const std::vector<Finding>& findings, int exit,
                     std::initializer_list<std::string> parts) {
    const std::string problem = FirstProblem(findings);
    EXPECT_TRUE(problem.starts_with(std::to_string(exit) + ": ")) << problem;
    for (const auto& part : parts)
      EXPECT_NE(problem.find(part), std::string::npos) << problem << "\nlacks: " << part;
  }

  fakes::TestCa hosts_{"example"}, users_{"example"}, web_ca_{"web"};
  TemporaryDirectory directory_;
  RealClock clock_;
  ScriptedAuth service_;
  DiagnoseOptions options_{.offline = false,
                           .will_decide = true,
                           .will_review = false,
                           .warn_expiry = std::chrono::minutes(10),
                           .credentials_directory = {}};
  std::string version_ = "16.4.0";
  std::vector<std::string> verbs_{"list", "read", "update"};
};

TEST_F(DiagnoseTest, FindsNothingWrongWithAGoodSetUp) {
  FakeAuthService server(Options(), service_);
  const auto findings = Look(Settings(server.address(), users_.IssueUser("plugin")));
  EXPECT_EQ(FirstProblem(findings), "");
  for (const Finding& one : findings) EXPECT_EQ(one.severity, Severity::kFine) << one.what;
  EXPECT_GE(findings.size(), 8U);
}

TEST_F(DiagnoseTest, NamesMissingFiles) {
  config::TeleportSettings settings;
  settings.identity = directory_ / "nowhere";
  ExpectProblem(Look(settings), 4, {"nowhere does not exist"});
}

TEST_F(DiagnoseTest, NamesAKeyThatOthersCanRead) {
  FakeAuthService server(Options(), service_);
  const auto settings = Settings(server.address(), users_.IssueUser("plugin"));
  ::chmod(settings.client_key.c_str(), 0644);
  EXPECT_TRUE(Warns(Look(settings), "has mode 0644"));
  options_.credentials_directory = settings.client_key.substr(0, settings.client_key.rfind('/'));
  const auto findings = Look(settings);
  EXPECT_FALSE(Warns(findings, "has mode"));
  EXPECT_NE(findings.at(0).what.find("is a credential of the unit"), std::string::npos);
}

TEST_F(DiagnoseTest, NamesAKeyOfAnotherCertificate) {
  auto pair = users_.IssueUser("plugin");
  pair.key_pem = users_.IssueUser("plugin").key_pem;
  ExpectProblem(Look(Settings("127.0.0.1:1", pair)), 4, {"does not belong to the certificate"});
}

TEST_F(DiagnoseTest, NamesExpiredAndFutureCertificates) {
  fakes::CertificateSpec spec;
  spec.common_name = "plugin";
  spec.starts = hours(-2);
  spec.ends = hours(-1);
  ExpectProblem(Look(Settings("127.0.0.1:1", users_.Issue(spec))), 4, {"expired on"});
  spec.starts = hours(1);
  spec.ends = hours(2);
  ExpectProblem(Look(Settings("127.0.0.1:1", users_.Issue(spec))), 4, {"not valid before", "clock"});
}

TEST_F(DiagnoseTest, WarnsOfACertificateThatExpiresSoon) {
  FakeAuthService server(Options(), service_);
  fakes::CertificateSpec spec;
  spec.common_name = "plugin";
  spec.ends = std::chrono::minutes(5);
  EXPECT_TRUE(Warns(Look(Settings(server.address(), users_.Issue(spec))), "expires on"));
}

TEST_F(DiagnoseTest, NamesTheWrongCa) {
  FakeAuthService server(Options(), service_);
  auto settings = Settings(server.address(), users_.IssueUser("plugin"));
  directory_.Write("cas.pem", web_ca_.pem());
  ExpectProblem(Look(settings), 4, {"no CA in", "cas.pem"});
}

TEST_F(DiagnoseTest, NamesTheWrongHostName) {
  FakeAuthOptions options = Options();
  fakes::CertificateSpec spec;
  spec.dns_names = {"other.example"};
  const auto pair = hosts_.Issue(spec);
  options.server_key = pair.key_pem;
  options.server_certificate = pair.certificate_pem;
  FakeAuthService server(options, service_);
  ExpectProblem(Look(Settings(server.address(), users_.IssueUser("plugin"))), 4,
                {"for other.example, not for teleport.cluster.local"});
}

TEST_F(DiagnoseTest, NamesARefusedConnectionAndAnUnknownHost) {
  std::string address;
  {
    FakeAuthService gone(Options(), service_);
    address = gone.address();
  }
  ExpectProblem(Look(Settings(address, users_.IssueUser("plugin"))), 7, {"refused the connection", "3025"});
  ExpectProblem(Look(Settings("no-such-host.invalid:3025", users_.IssueUser("plugin"))), 7,
                {"no-such-host.invalid"});
}

TEST_F(DiagnoseTest, NamesAUserCaThatTheClusterDoesNotKnow) {
  FakeAuthService server(Options(), service_);
  ExpectProblem(Look(Settings(server.address(), web_ca_.IssueUser("plugin"))), 4,
                {"refused our client certificate", "user plugin"});
}

TEST_F(DiagnoseTest, NamesAWebPortWhereAnAuthServiceWasConfigured) {
  FakeAuthService server(Options(Front::kProxy), service_);
  auto settings = Settings(server.address(), users_.IssueUser("plugin"));
  settings.route = config::Route::kAuth;
  ExpectProblem(Look(settings), 4, {"web port of a Teleport proxy (16.4.0)", "route = \"auto\""});
  settings.route = config::Route::kAuto;
  EXPECT_EQ(FirstProblem(Look(settings)), "");
}

TEST_F(DiagnoseTest, NamesAServerThatIsTooOld) {
  version_ = "4.3.0";
  FakeAuthService server(Options(), service_);
  ExpectProblem(Look(Settings(server.address(), users_.IssueUser("plugin"))), 7, {"4.3.0 is too old"});
}

TEST_F(DiagnoseTest, NamesEachMissingRight) {
  FakeAuthService server(Options(), service_);
  const auto settings = Settings(server.address(), users_.IssueUser("plugin"));
  verbs_ = {"list", "read"};
  ExpectProblem(Look(settings), 4, {"lacks update on access_request"});
  options_.will_decide = false;
  EXPECT_EQ(FirstProblem(Look(settings)), "") << "who only notifies needs no update";
  verbs_ = {"read"};
  ExpectProblem(Look(settings), 4, {"lacks list on access_request"});
  options_.will_review = true;
  verbs_ = {"list", "read"};
  ExpectProblem(Look(settings), 4, {"allow.review_requests"});
}

TEST_F(DiagnoseTest, NamesAWatchThatIsRefused) {
  service_.role = nullptr;  // 6.0
  service_.watch = [](grpc::ServerContext*, const proto::Watch&, grpc::ServerWriter<proto::Event>*) {
    return grpc::Status(grpc::PERMISSION_DENIED,
                        "access denied to perform action \"read\" on \"access_request\"");
  };
  FakeAuthService server(Options(), service_);
  const auto findings = Look(Settings(server.address(), users_.IssueUser("plugin")));
  ExpectProblem(findings, 4, {"read on access_request"});
  EXPECT_TRUE(Warns(findings, "cannot be read from this Teleport"));
}

TEST_F(DiagnoseTest, WarnsOfAClockThatDisagreesWithTheProxys) {
  FakeAuthOptions options = Options(Front::kProxy);
  options.find_date = "Sun, 06 Nov 1994 08:49:37 GMT";
  FakeAuthService server(options, service_);
  EXPECT_TRUE(Warns(Look(Settings(server.address(), users_.IssueUser("plugin"))), "s ahead of the proxy's"));
}

TEST_F(DiagnoseTest, LooksAtFilesOnlyWhenOffline) {
  options_.offline = true;
  const auto findings = Look(Settings("127.0.0.1:1", users_.IssueUser("plugin")));
  EXPECT_EQ(FirstProblem(findings), "");
}

TEST_F(DiagnoseTest, WarnsWhenTheCertificateIsOfAnotherCluster) {
  FakeAuthService server(Options(), service_);
  fakes::CertificateSpec spec;
  spec.common_name = "plugin";
  spec.other = {{"1.3.9999.1.7", "elsewhere"}};
  EXPECT_TRUE(Warns(Look(Settings(server.address(), users_.Issue(spec))), "of cluster elsewhere"));
}

}  // namespace
}  // namespace tw::teleport
