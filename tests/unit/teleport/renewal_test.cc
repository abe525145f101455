// Credentials that change under a running client.
#include <unistd.h>

#include "fake_auth_service.h"
#include "fakes/fake_clock.h"
#include "teleport/credential_watch.h"
#include "teleport_test_util.h"

namespace tw::teleport {
namespace {

using fakes::FakeAuthOptions;
using fakes::FakeAuthService;
using fakes::ScriptedAuth;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace fs = std::filesystem;

// Counts calls and lets a test wait for the next.
class Counter {
 public:
  void Count() {
    std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool Reaches(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(20), [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

constexpr milliseconds kNever{3'600'000};

TEST(CredentialWatch, SeesAFileThatIsWrittenAndOneThatIsMovedIntoPlace) {
  const TemporaryDirectory directory;
  const std::string file = directory.Write("identity", "one");
  Counter counter;
  const CredentialWatch watch({file}, kNever, [&](const std::stop_token&) { counter.Count(); });
  directory.Write("identity", "two");
  ASSERT_TRUE(counter.Reaches(1));
  directory.Write("identity.tmp", "three");
  fs::rename(directory / "identity.tmp", file);
  EXPECT_TRUE(counter.Reaches(2));
}

TEST(CredentialWatch, SeesASymbolicLinkThatIsSwappedAsMountedSecretsDoIt) {
  const TemporaryDirectory directory;
  for (const char* version : {"v1", "v2"}) {
    fs::create_directory(directory / version);
    directory.Write(std::string(version) + "/identity", version);
  }
  fs::create_directory_symlink("v1", directory / "..data");
  fs::create_symlink("..data/identity", directory / "identity");
  Counter counter;
  const CredentialWatch watch({directory / "identity"}, kNever,
                              [&](const std::stop_token&) { counter.Count(); });
  fs::create_directory_symlink("v2", directory / "..tmp");
  fs::rename(directory / "..tmp", directory / "..data");
  ASSERT_TRUE(counter.Reaches(1));
  directory.Write("v2/identity", "new content where the link leads now");
  EXPECT_TRUE(counter.Reaches(2));
}

TEST(CredentialWatch, LooksAfterEveryIntervalWithoutAnyEvent) {
  Counter counter;
  const CredentialWatch watch({"/nonexistent/identity"}, milliseconds(5),
                              [&](const std::stop_token&) { counter.Count(); });
  EXPECT_TRUE(counter.Reaches(3));
}

TEST(CredentialWatch, LooksWhenAskedToAsOftenAsAsked) {
  Counter counter;
  CredentialWatch watch({"/nonexistent/identity"}, kNever, [&](const std::stop_token&) { counter.Count(); });
  for (int look = 1; look <= 3; ++look) {
    watch.LookNow();
    ASSERT_TRUE(counter.Reaches(look));
  }
}

TEST(EntriesOnTheWay, NameEveryLinkAndTheFileItself) {
  const TemporaryDirectory directory;
  fs::create_directory(directory / "real");
  directory.Write("real/file", "x");
  fs::create_directory_symlink("real", directory / "link");
  const auto entries = EntriesOnTheWay(directory / "link/file");
  const WatchedEntry link{fs::path(directory / "x").parent_path().string(), "link"};
  EXPECT_NE(std::find(entries.begin(), entries.end(), link), entries.end());
  EXPECT_EQ(entries.back().name, "file");
  EXPECT_EQ(entries.back().directory, directory / "real");
  fs::create_symlink("loop", directory / "loop");
  EXPECT_LE(EntriesOnTheWay(directory / "loop").size(), 41U);
}

class RenewalTest : public testing::Test {
 protected:
  RenewalTest() {
    service_.ping = [](grpc::ServerContext*, proto::PingResponse* answer) {
      answer->set_serverversion("16.0.0");
      return grpc::Status::OK;
    };
    service_.watch = [](grpc::ServerContext* context, const proto::Watch&,
                        grpc::ServerWriter<proto::Event>* writer) {
      writer->Write(proto::Event());
      while (!context->IsCancelled()) std::this_thread::sleep_for(milliseconds(1));
      return grpc::Status::OK;
    };
    FakeAuthOptions options;
    const auto pair = hosts_.IssueAuthServer();
    options.server_key = pair.key_pem;
    options.server_certificate = pair.certificate_pem;
    options.user_ca = users_.pem();
    server_ = std::make_unique<FakeAuthService>(options, service_);
  }
  config::TeleportSettings WithIdentity(const fakes::KeyPair& pair) {
    config::TeleportSettings settings;
    settings.identity = directory_.Write("identity", IdentityText(pair, hosts_.pem()));
    settings.addr = server_->address();
    settings.refresh_interval = kNever;
    return settings;
  }
  void Replace(const std::string& name, const std::string& text) {
    directory_.Write(name + ".new", text);
    fs::rename(directory_ / (name + ".new"), directory_ / name);
  }
  static bool IsSuperseded(access::EventStream& stream) {
    const auto until = std::chrono::steady_clock::now() + seconds(20);
    while (!stream.Superseded() && std::chrono::steady_clock::now() < until) {
      if (!stream.Read(100, seconds(20))) return false;
    }
    return stream.Superseded();
  }

  fakes::TestCa hosts_{"example"}, users_{"example"};
  TemporaryDirectory directory_;
  RealClock clock_;
  fakes::FakeLogger log_;
  ScriptedAuth service_;
  std::unique_ptr<FakeAuthService> server_;
};

TEST_F(RenewalTest, AnIdentityFileIsEnough) {
  auto client = MakeTeleportClient(WithIdentity(users_.IssueUser("bot-hooks")), clock_, log_);
  ASSERT_TRUE(client) << client.error().message;
  const auto info = (*client)->Ping(Soon());
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->user, "bot-hooks");
}

TEST_F(RenewalTest, NewCredentialsAskForAStreamOnANewConnection) {
  auto client = MakeTeleportClient(WithIdentity(users_.IssueUser("first")), clock_, log_).value();
  auto stream = client->Watch({});
  ASSERT_EQ((*stream)->Read(1, seconds(10))->size(), 1U);
  Replace("identity", IdentityText(users_.IssueUser("second"), hosts_.pem()));
  EXPECT_TRUE(IsSuperseded(**stream));
  EXPECT_TRUE((*stream)->Read(1, milliseconds(1))) << "the old stream goes on until it is let go";
  EXPECT_EQ(client->Ping(Soon())->user, "second");
  EXPECT_EQ(client->Credential().user, "second");
  EXPECT_EQ(server_->connections(), 2U);
}

TEST_F(RenewalTest, WhatWasRenewedInTimeIsNotToldAsExpiring) {
  fakes::CertificateSpec nearly_over;
  nearly_over.common_name = "first";
  nearly_over.starts = -std::chrono::hours(10);
  nearly_over.ends = std::chrono::minutes(1);
  auto client = MakeTeleportClient(WithIdentity(users_.Issue(nearly_over)), clock_, log_).value();
  auto stream = client->Watch({});
  ASSERT_EQ((*stream)->Read(1, seconds(10))->size(), 1U);
  Replace("identity", IdentityText(users_.IssueUser("second"), hosts_.pem()));
  EXPECT_TRUE(IsSuperseded(**stream));
  EXPECT_TRUE(log_.WillHaveSaid("moved to the renewed Teleport credentials"));
  EXPECT_FALSE(log_.Said("expires soon"));
}

TEST_F(RenewalTest, ManyRotationsNeverFailACall) {
  auto client = MakeTeleportClient(WithIdentity(users_.IssueUser("user-0")), clock_, log_).value();
  std::atomic<int> failed{0};
  std::atomic<int> calls{0};
  std::jthread caller([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      failed += client->Ping(Soon()) ? 0 : 1;
      ++calls;
    }
  });
  for (int i = 1; i <= 20; ++i) {
    auto stream = client->Watch({});
    ASSERT_TRUE(stream);
    ASSERT_EQ((*stream)->Read(1, seconds(10))->size(), 1U);
    Replace("identity", IdentityText(users_.IssueUser("user-" + std::to_string(i)), hosts_.pem()));
    EXPECT_TRUE(IsSuperseded(**stream));
  }
  caller.request_stop();
  caller.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GT(calls, 20);
}

TEST_F(RenewalTest, AHalfWrittenPairKeepsTheOldOneAlsoForNewConnections) {
  auto settings = WriteTriple(directory_, users_.IssueUser("first"), hosts_.pem());
  settings.addr = server_->address();
  auto client = MakeTeleportClient(settings, clock_, log_).value();
  ASSERT_TRUE(client->Ping(Soon()));
  const auto second = users_.IssueUser("second");
  directory_.Write("crt.pem", second.certificate_pem);  // its key comes later
  server_->DropAll();
  auto info = client->Ping(Soon());
  if (!info) info = client->Ping(Soon());
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->user, "first");
  EXPECT_TRUE(log_.WillHaveSaid("keeping the Teleport credentials read before"));
  directory_.Write("key.pem", second.key_pem);
  server_->DropAll();
  info = client->Ping(Soon());
  if (!info) info = client->Ping(Soon());
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->user, "second");
}

TEST_F(RenewalTest, CredentialsThatDoNotWorkLeaveTheConnectionAlone) {
  auto client = MakeTeleportClient(WithIdentity(users_.IssueUser("first")), clock_, log_).value();
  auto stream = client->Watch({});
  ASSERT_EQ((*stream)->Read(1, seconds(10))->size(), 1U);
  const fakes::TestCa other("other");
  Replace("identity", IdentityText(users_.IssueUser("second"), other.pem()));  // trusts another cluster
  EXPECT_TRUE(log_.WillHaveSaid("the renewed ones do not work"));
  EXPECT_EQ(client->Ping(Soon())->user, "first");
  EXPECT_TRUE((*stream)->Read(1, milliseconds(50))) << "the stream goes on";
}

TEST_F(RenewalTest, HostCasRotateWithoutARestart) {
  auto client = MakeTeleportClient(WithIdentity(users_.IssueUser("first")), clock_, log_).value();
  ASSERT_TRUE(client->Ping(Soon()));
  const fakes::TestCa fresh("example");
  const auto pair = fresh.IssueAuthServer();
  server_->Rotate(pair.key_pem, pair.certificate_pem, users_.pem());
  Replace("identity", IdentityText(users_.IssueUser("first"), hosts_.pem() + fresh.pem()));
  server_->DropAll();
  auto info = client->Ping(Soon());
  if (!info) info = client->Ping(Soon());
  EXPECT_TRUE(info) << info.error().message;
}

}  // namespace
}  // namespace tw::teleport
