#include "teleport/credentials.h"

#include <sys/stat.h>

#include "crypto/private_key.h"
#include "teleport_test_util.h"

namespace tw::teleport {
namespace {

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(Credentials, NameEveryMissingFileAtOnce) {
  const TemporaryDirectory directory;
  config::TeleportSettings settings;
  settings.client_key = directory / "a.key";
  settings.client_crt = directory / "a.crt";
  settings.root_cas = directory / "a.cas";
  const auto loaded = LoadCredentials(settings);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, ErrorKind::kCredentials);
  for (const char* name : {"a.key", "a.crt", "a.cas"})
    EXPECT_TRUE(Has(loaded.error().message, name)) << loaded.error().message;
}

TEST(Credentials, TellUserRolesAndCluster) {
  const fakes::TestCa users("example.com");
  const TemporaryDirectory directory;
  const auto loaded =
      LoadCredentials(WriteTriple(directory, users.IssueUser("plugin", {"notify", "other"}), users.pem()));
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->user(), "plugin");
  EXPECT_EQ(loaded->roles(), (std::vector<std::string>{"notify", "other"}));
  EXPECT_EQ(loaded->cluster(), "example.com");
}

TEST(Credentials, TakeTheIssuersNameWhereTheCertificateNamesNoCluster) {
  const fakes::TestCa users("issuer.example");
  const TemporaryDirectory directory;
  fakes::CertificateSpec spec;
  spec.common_name = "plugin";
  const auto loaded = LoadCredentials(WriteTriple(directory, users.Issue(spec), users.pem()));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->cluster(), "issuer.example");
}

TEST(Credentials, SayWhenKeyAndCertificateDoNotBelongTogether) {
  const fakes::TestCa users;
  const TemporaryDirectory directory;
  fakes::KeyPair mixed = users.IssueUser("plugin");
  mixed.key_pem = users.IssueUser("plugin").key_pem;
  const auto loaded = LoadCredentials(WriteTriple(directory, mixed, users.pem()));
  ASSERT_FALSE(loaded);
  EXPECT_TRUE(Has(loaded.error().message, "does not belong to the certificate")) << loaded.error().message;
  EXPECT_TRUE(Has(loaded.error().message, "key.pem") && Has(loaded.error().message, "crt.pem"));
}

TEST(Credentials, SayWhichFileIsDamagedAndWhere) {
  const fakes::TestCa users;
  const TemporaryDirectory directory;
  auto pair = users.IssueUser("plugin");
  pair.certificate_pem.resize(pair.certificate_pem.size() / 2);
  const auto loaded = LoadCredentials(WriteTriple(directory, pair, "nothing here"));
  ASSERT_FALSE(loaded);
  EXPECT_TRUE(Has(loaded.error().message, "crt.pem: line 1: the block \"CERTIFICATE\" is not finished"))
      << loaded.error().message;
  EXPECT_TRUE(Has(loaded.error().message, "cas.pem: holds no certificate")) << loaded.error().message;
}

TEST(Credentials, TakeKeysInTraditionalFormAndUnderAForeignLabel) {
  const fakes::TestCa users;
  const TemporaryDirectory directory;
  for (const bool rsa : {false, true}) {
    fakes::CertificateSpec spec;
    spec.common_name = "plugin";
    spec.rsa = rsa;
    auto pair = users.Issue(spec);
    const std::string pkcs8 = pair.key_pem;
    pair.key_pem = fakes::TraditionalKeyPem(pkcs8);
    EXPECT_TRUE(LoadCredentials(WriteTriple(directory, pair, users.pem()))) << pair.key_pem.substr(0, 40);
    pair.key_pem = pkcs8;
    for (std::size_t at = 0; (at = pair.key_pem.find("PRIVATE KEY", at)) != std::string::npos; at += 15) {
      pair.key_pem.insert(at, "RSA ");
    }
    EXPECT_TRUE(LoadCredentials(WriteTriple(directory, pair, users.pem()))) << "PKCS#8 under the RSA label";
  }
}

TEST(Credentials, RefuseKeysWithAPassphraseInPlainWords) {
  const fakes::TestCa users;
  const TemporaryDirectory directory;
  auto pair = users.IssueUser("plugin");
  pair.key_pem = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
  const auto loaded = LoadCredentials(WriteTriple(directory, pair, users.pem()));
  ASSERT_FALSE(loaded);
  EXPECT_TRUE(Has(loaded.error().message, "passphrase"));
}

TEST(Credentials, KnowExpiredFromNotYetValid) {
  const fakes::TestCa users;
  const TemporaryDirectory directory;
  const auto loaded = LoadCredentials(WriteTriple(directory, users.IssueUser("plugin"), users.pem()));
  ASSERT_TRUE(loaded);
  EXPECT_FALSE(DateProblem(*loaded, loaded->certificate.not_before));
  const auto late = DateProblem(*loaded, loaded->certificate.not_after + std::chrono::seconds(1));
  ASSERT_TRUE(late);
  EXPECT_TRUE(Has(late->message, "expired on"));
  const auto early = DateProblem(*loaded, loaded->certificate.not_before - std::chrono::hours(1));
  ASSERT_TRUE(early);
  EXPECT_TRUE(Has(early->message, "not valid before") && Has(early->hint, "clock"));
}

TEST(IdentityFile, IsReadAsTctlWritesIt) {
  const fakes::TestCa users, hosts("hosts"), more("more");
  fakes::CertificateSpec spec;
  spec.common_name = "plugin";
  spec.rsa = true;
  auto pair = users.Issue(spec);
  pair.key_pem = fakes::TraditionalKeyPem(pair.key_pem);
  ASSERT_TRUE(pair.key_pem.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
  const auto identity = ParseIdentityFile(IdentityText(pair, hosts.pem() + more.pem()));
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_EQ(identity->certificate.common_name, "plugin");
  EXPECT_EQ(identity->cas.size(), 2U);
  EXPECT_TRUE(identity->has_ssh_certificate);
}

TEST(IdentityFile, MindsNeitherOrderNorBlanksNorLineEnds) {
  const fakes::TestCa users, hosts("hosts");
  const auto pair = users.IssueUser("plugin");
  std::string text = "a comment\n  " + hosts.pem() + "\n\n" + pair.certificate_pem + "\n" + pair.key_pem;
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 3)
    text.replace(at, 1, " \r\n");
  const auto identity = ParseIdentityFile(text);
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_EQ(identity->certificate.common_name, "plugin");
  EXPECT_EQ(identity->cas.at(0).common_name, "hosts");
  EXPECT_FALSE(identity->has_ssh_certificate);
}

TEST(IdentityFile, SaysWhatIsMissing) {
  const fakes::TestCa users, hosts("hosts");
  const auto pair = users.IssueUser("plugin");
  const auto problem = [](const std::string& text) { return ParseIdentityFile(text).error().message; };
  EXPECT_TRUE(Has(problem("hello"), "no PEM block"));
  EXPECT_TRUE(Has(problem(hosts.pem()), "no private key"));
  EXPECT_TRUE(Has(problem(pair.key_pem), "no TLS certificate"));
  EXPECT_TRUE(Has(problem(pair.key_pem + pair.certificate_pem), "no TLS CA certificate"));
  EXPECT_TRUE(Has(problem(pair.key_pem + hosts.pem()), "belongs to none"));
  EXPECT_TRUE(Has(problem(pair.key_pem + pair.certificate_pem.substr(0, 200)), "not finished"));
}

TEST(IdentityFile, IsReadWithAKeyInOpensshsOwnForm) {
  const fakes::TestCa users, hosts("hosts");
  for (const bool rsa : {false, true}) {
    fakes::CertificateSpec spec;
    spec.common_name = "plugin";
    spec.rsa = rsa;
    auto pair = users.Issue(spec);
    pair.key_pem = fakes::OpensshKeyPem(pair.key_pem);
    const auto identity = ParseIdentityFile(IdentityText(pair, hosts.pem()));
    ASSERT_TRUE(identity) << identity.error().message;
    EXPECT_TRUE(crypto::KeyMatches(identity->key, identity->certificate.der));
  }
}

}  // namespace
}  // namespace tw::teleport
