#include "callback/tls_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "crypto/certificate.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_logger.h"

namespace tw::callback {
namespace {

class TlsFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "tw-tls-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory); }
  TlsPaths Ensure(const std::string& public_addr = "https://hooks.example.com:8081",
                  const std::string& sub = "state") {
    const auto paths = EnsureSelfSigned(directory / sub, public_addr, clock.Now(), log);
    EXPECT_TRUE(paths) << paths.error().message;
    return *paths;
  }
  static crypto::Certificate Read(const TlsPaths& paths) {
    return *crypto::ReadCertificate(LoadTls(paths)->chain_der.front());
  }

  fakes::FakeClock clock;
  fakes::FakeLogger log;
  std::filesystem::path directory;
};

TEST_F(TlsFilesTest, MakesAPairThatNamesItsListenerAndHidesTheKey) {
  const TlsPaths paths = Ensure();
  const crypto::Certificate certificate = Read(paths);
  for (const char* name : {"hooks.example.com", "localhost", "127.0.0.1"}) {
    EXPECT_NE(std::find(certificate.names.begin(), certificate.names.end(), name), certificate.names.end())
        << name;
  }
  EXPECT_TRUE(certificate.ValidAt(clock.Now()));
  EXPECT_TRUE(certificate.ValidAt(clock.Now() + std::chrono::days(3650)));
  struct stat info {};
  ASSERT_EQ(::stat(paths.key_file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat((directory / "state").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

TEST_F(TlsFilesTest, UsesItsPairAgainUntilItExpires) {
  const std::string first = Read(Ensure()).fingerprint;
  EXPECT_EQ(Read(Ensure()).fingerprint, first);
  clock.Advance(std::chrono::days(3653));
  EXPECT_NE(Read(Ensure()).fingerprint, first);
}

TEST_F(TlsFilesTest, NeedsNoPublicAddress) {
  EXPECT_EQ(Read(Ensure("")).common_name, "localhost");
}

TEST_F(TlsFilesTest, NamesTheFileThatIsWrong) {
  const TlsPaths good = Ensure();
  const auto message = [](const TlsPaths& paths) { return LoadTls(paths).error().message; };
  TlsPaths bad = good;
  bad.key_file = directory / "missing.key";
  EXPECT_NE(message(bad).find("missing.key does not exist"), std::string::npos);
  std::ofstream(bad.key_file).flush();
  EXPECT_NE(message(bad).find("missing.key is empty"), std::string::npos);
  bad = good;
  bad.certificate_file = good.key_file;
  EXPECT_NE(message(bad).find("server.key"), std::string::npos);
  bad = good;
  bad.key_file = Ensure("", "other").key_file;
  EXPECT_NE(message(bad).find("does not belong"), std::string::npos);
  bad = good;
  bad.client_ca_file = directory / "ca.pem";
  std::ofstream(bad.client_ca_file) << "nothing";
  EXPECT_NE(message(bad).find("ca.pem"), std::string::npos);
}

TEST_F(TlsFilesTest, NoticesAReplacedPairOnceAndSaysWhenItIsBad) {
  const TlsPaths paths = Ensure();
  const TlsPaths other = Ensure("https://new.example.com", "other");
  TlsWatch watch(paths);
  EXPECT_FALSE(watch.Poll());
  std::filesystem::rename(other.key_file, paths.key_file);
  const auto half = watch.Poll();
  ASSERT_TRUE(half);
  EXPECT_FALSE(*half);
  EXPECT_FALSE(watch.Poll());
  std::filesystem::rename(other.certificate_file, paths.certificate_file);
  const auto whole = watch.Poll();
  ASSERT_TRUE(whole);
  EXPECT_TRUE(*whole);
}

}  // namespace
}  // namespace tw::callback
