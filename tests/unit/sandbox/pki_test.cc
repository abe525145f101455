// The made certificates, looked at with the tools that operators use.
#include "pki/pki.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/random.h"

namespace tw::sandbox {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Shell(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer;
  while (pipe != nullptr && std::fgets(buffer.data(), buffer.size(), pipe) != nullptr)
    output += buffer.data();
  if (pipe != nullptr) ::pclose(pipe);
  return output;
}

std::string Read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::size_t Count(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

class PkiTest : public ::testing::TestWithParam<KeyType> {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "sandbox-pki-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    PkiOptions options;
    options.dir = dir_ / "certs";
    options.cluster = "example.com";
    options.key_type = GetParam();
    auto made = Pki::Make(options, clock_, random_);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    pki_ = *std::move(made);
    dir_ = options.dir;
  }
  void TearDown() override { std::filesystem::remove_all(dir_.parent_path()); }

  std::string Verify(const std::string& name, const std::string& roots) {
    std::ofstream(dir_ / "roots.pem") << roots;
    std::ofstream(dir_ / "leaf.pem") << name;
    return Shell("openssl verify -CAfile " + (dir_ / "roots.pem").string() + " " +
                 (dir_ / "leaf.pem").string());
  }

  std::filesystem::path dir_;
  RealClock clock_;
  SystemRandom random_;
  std::unique_ptr<Pki> pki_;
};

TEST_P(PkiTest, ServerCertificateIsGoodForTheNamesOfAnAuthService) {
  const ServerIdentity server = pki_->Server();
  EXPECT_THAT(Verify(server.certificate_pem, pki_->HostCas().front()), HasSubstr(": OK"));
  const std::string text = Shell("openssl x509 -noout -text -in " + (dir_ / "leaf.pem").string());
  for (const char* name :
       {"DNS:teleport.cluster.local", "DNS:*.teleport.cluster.local", "IP Address:127.0.0.1"}) {
    EXPECT_THAT(text, HasSubstr(name));
  }
}

TEST_P(PkiTest, UserCertificateNamesUserRolesAndClusterAndComesFromTheUserCa) {
  ASSERT_TRUE(pki_->WriteUser({"alice", {"requester", "dev"}, false, {}}).has_value());
  EXPECT_THAT(Verify(Read(dir_ / "alice.crt"), pki_->Server().client_roots_pem), HasSubstr(": OK"));
  EXPECT_THAT(Verify(Read(dir_ / "alice.crt"), pki_->HostCas().front()), ::testing::Not(HasSubstr(": OK")));
  const std::string subject = Shell("openssl x509 -noout -subject -in " + (dir_ / "alice.crt").string());
  EXPECT_THAT(subject, HasSubstr("O = requester, O = dev, CN = alice, 1.3.9999.1.7 = example.com"));
}

TEST_P(PkiTest, KeyFitsTheCertificateAndNobodyElseMayReadIt) {
  ASSERT_TRUE(pki_->WriteUser({"plugin", {"plugin"}, false, {}}).has_value());
  const std::string file = (dir_ / "plugin").string();
  EXPECT_EQ(Shell("openssl pkey -pubout -in " + file + ".key"),
            Shell("openssl x509 -noout -pubkey -in " + file + ".crt"));
  struct stat info {};
  ASSERT_EQ(::stat((file + ".key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_P(PkiTest, IdentityFileHasTheOrderOfTctl) {
  ASSERT_TRUE(pki_->WriteUser({"plugin", {"plugin"}, false, {}}).has_value());
  const std::string identity = Read(dir_ / "plugin.identity");
  EXPECT_THAT(identity, StartsWith(GetParam() == KeyType::kRsa ? "-----BEGIN RSA PRIVATE KEY-----\n"
                                                               : "-----BEGIN PRIVATE KEY-----\n"));
  const auto ssh = identity.find("-cert-v01@openssh.com ");
  const auto certificate = identity.find("-----BEGIN CERTIFICATE-----");
  const auto authority = identity.find("\n@cert-authority *.example.com ");
  const auto cas = identity.rfind("-----BEGIN CERTIFICATE-----");
  EXPECT_LT(ssh, certificate);
  EXPECT_LT(certificate, authority);
  EXPECT_LT(authority, cas);
  EXPECT_THAT(identity, HasSubstr(Read(dir_ / "plugin.cas")));
}

TEST_P(PkiTest, SshCertificateIsReadByOpenSsh) {
  ASSERT_TRUE(pki_->WriteUser({"plugin", {"plugin"}, false, {}}).has_value());
  const std::string identity = Read(dir_ / "plugin.identity");
  const auto key_end = identity.find("PRIVATE KEY-----\n", identity.find("-----END")) + 17;
  std::ofstream(dir_ / "ssh-cert.pub")
      << identity.substr(key_end, identity.find('\n', key_end) - key_end + 1);
  const std::string shown = Shell("ssh-keygen -L -f " + (dir_ / "ssh-cert.pub").string());
  EXPECT_THAT(shown, HasSubstr("user certificate"));
  EXPECT_THAT(shown, HasSubstr("Key ID: \"plugin\""));
}

TEST_P(PkiTest, MakesExpiredCertificatesOnDemand) {
  ASSERT_TRUE(pki_->WriteUser({"plugin", {"plugin"}, false, {}}, std::chrono::hours(-1)).has_value());
  EXPECT_THAT(Verify(Read(dir_ / "plugin.crt"), pki_->Server().client_roots_pem), HasSubstr("expired"));
}

TEST_P(PkiTest, RotationOverlapsBeforeTheOldAuthoritiesGo) {
  ASSERT_TRUE(pki_->WriteUser({"plugin", {"plugin"}, false, {}}).has_value());
  const std::string old_user = Read(dir_ / "plugin.crt");
  const std::string old_cas = Read(dir_ / "plugin.cas");

  ASSERT_TRUE(pki_->Rotate(RotationPhase::kUpdateClients).has_value());
  ASSERT_TRUE(pki_->WriteUser({"plugin", {"plugin"}, false, {}}).has_value());
  const std::string new_user = Read(dir_ / "plugin.crt");
  const std::string both_cas = Read(dir_ / "plugin.cas");
  EXPECT_EQ(Count(both_cas, "BEGIN CERTIFICATE"), 2U);
  EXPECT_THAT(Verify(pki_->Server().certificate_pem, old_cas), HasSubstr(": OK"))
      << "old clients still connect";
  EXPECT_THAT(Verify(old_user, pki_->Server().client_roots_pem), HasSubstr(": OK"));
  EXPECT_THAT(Verify(new_user, pki_->Server().client_roots_pem), HasSubstr(": OK"));

  ASSERT_TRUE(pki_->Rotate(RotationPhase::kUpdateServers).has_value());
  EXPECT_THAT(Verify(pki_->Server().certificate_pem, both_cas), HasSubstr(": OK"));
  EXPECT_THAT(Verify(pki_->Server().certificate_pem, old_cas), ::testing::Not(HasSubstr(": OK")));

  ASSERT_TRUE(pki_->Rotate(RotationPhase::kStandby).has_value());
  EXPECT_THAT(Verify(old_user, pki_->Server().client_roots_pem), ::testing::Not(HasSubstr(": OK")));
  EXPECT_THAT(Verify(new_user, pki_->Server().client_roots_pem), HasSubstr(": OK"));
}

TEST_P(PkiTest, WebCertificateIsNoneOfTheClusters) {
  const auto web = pki_->MakeWebIdentity({"localhost", "127.0.0.1"});
  ASSERT_TRUE(web.has_value());
  EXPECT_THAT(Verify(web->certificate_pem, pki_->HostCas().front()), ::testing::Not(HasSubstr(": OK")));
  EXPECT_THAT(Verify(web->certificate_pem, Read(dir_ / "web.cas")), HasSubstr(": OK"));
}

INSTANTIATE_TEST_SUITE_P(EachKeyType, PkiTest, ::testing::Values(KeyType::kEc, KeyType::kRsa),
                         [](const auto& param) { return param.param == KeyType::kEc ? "Ec" : "Rsa"; });

}  // namespace
}  // namespace tw::sandbox
