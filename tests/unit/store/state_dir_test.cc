#include "store/state_dir.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "contract/store_contract.h"

namespace tw::store {
namespace {

unsigned Mode(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777U;
}

TEST(StateDir, IsMadeForItsOwnerAloneAndSoAreTheFiles) {
  const TempDir temp;
  const std::string dir = temp / "a/b/state";
  const mode_t before = ::umask(0);
  const auto store = OpenSqliteStore(dir);
  ASSERT_TRUE(store) << store.error().message;
  ASSERT_TRUE((*store)->Commit(std::vector{MakeCommitment("r1", 1)}));
  const auto lock = LockForServe(dir);
  ::umask(before);
  EXPECT_TRUE(lock);
  EXPECT_EQ(Mode(dir), 0700U);
  for (const char* file : {"store.db", "store.db-wal", "store.db-shm", "serve.lock"})
    EXPECT_EQ(Mode(dir + "/" + file), 0600U) << file;
}

TEST(StateDir, IsForItsOwnerAloneHoweverItsPathIsWritten) {
  const TempDir temp;
  for (const std::string& dir :
       {temp / "slash/", temp / "slashes//", temp / "dot/./", temp / "parent/state/"}) {
    ASSERT_TRUE(PrepareStateDir(dir, true)) << dir;
    EXPECT_EQ(Mode(dir), 0700U) << dir;
  }
}

TEST(StateDir, NarrowsAFileThatOthersCouldRead) {
  const TempDir dir;
  ASSERT_TRUE(OpenSqliteStore(dir.path()));
  ::chmod((dir / kStoreFile).c_str(), 0644);
  ASSERT_TRUE(OpenSqliteStore(dir.path()));
  EXPECT_EQ(Mode(dir / kStoreFile), 0600U);
}

TEST(StateDir, IsRefusedWhenOthersMayWriteIt) {
  const TempDir dir;
  for (const mode_t mode : {0770U, 0703U}) {
    ::chmod(dir.path().c_str(), mode);
    const auto opened = OpenSqliteStore(dir.path());
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message.find("may be written by others"), std::string::npos);
    EXPECT_NE(opened.error().hint.find("chmod 0700"), std::string::npos);
    EXPECT_FALSE(LockForServe(dir.path()));
  }
}

TEST(StateDir, IsNotMadeByThoseWhoOnlyLook) {
  const TempDir temp;
  SqliteOptions look;
  look.create = false;
  for (const std::string& dir : {temp / "missing", temp.path()}) {
    const auto opened = OpenSqliteStore(dir, look);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, ErrorKind::kNotFound);
  }
  EXPECT_FALSE(std::filesystem::exists(temp / "missing"));
  EXPECT_FALSE(std::filesystem::exists(temp / kStoreFile));
}

TEST(StateDir, IsRefusedWhenItIsAFile) {
  const TempDir temp;
  ASSERT_TRUE(OpenSqliteStore(temp.path()));
  const auto opened = OpenSqliteStore(temp / kStoreFile);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("not a directory"), std::string::npos);
}

TEST(ServeLockTest, RefusesASecondServeAndNamesTheFirst) {
  const TempDir dir;
  EXPECT_EQ(*ServingPid(dir.path()), std::nullopt);
  {
    const auto first = LockForServe(dir.path());
    ASSERT_TRUE(first) << first.error().message;
    const auto second = LockForServe(dir.path());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::kFailure);
    EXPECT_NE(second.error().message.find("pid " + std::to_string(::getpid())), std::string::npos);
    EXPECT_EQ(*ServingPid(dir.path()), ::getpid());
  }
  EXPECT_EQ(*ServingPid(dir.path()), std::nullopt);
  EXPECT_TRUE(LockForServe(dir.path()));
}

TEST(ServeLockTest, IsNotKeptFromAServeByThoseWhoLook) {
  const TempDir dir;
  ASSERT_TRUE(LockForServe(dir.path()));  // makes the file
  std::jthread looking([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) EXPECT_TRUE(ServingPid(dir.path()));
  });
  for (int i = 0; i < 5'000; ++i) {
    const auto lock = LockForServe(dir.path());
    ASSERT_TRUE(lock) << lock.error().message;
  }
}

TEST(StateDir, NoticesThatItWasRemovedOrReplaced) {
  const TempDir temp;
  const std::string dir = temp / "state";
  const auto lock = LockForServe(dir);
  ASSERT_TRUE(lock);
  EXPECT_TRUE(lock->InPlace());
  std::filesystem::rename(dir, temp / "away");
  EXPECT_FALSE(lock->InPlace());
  const auto other = LockForServe(dir);
  ASSERT_TRUE(other);
  EXPECT_FALSE(lock->InPlace());
  EXPECT_TRUE(other->InPlace());
  std::filesystem::remove_all(dir);
  std::filesystem::rename(temp / "away", dir);
  EXPECT_TRUE(lock->InPlace());
}

TEST(ServeLockTest, EndsWithTheProcessThatHeldIt) {
  const TempDir dir;
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = LockForServe(dir.path());
    ::_exit(lock ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(*ServingPid(dir.path()), std::nullopt);
  EXPECT_TRUE(LockForServe(dir.path()));
}

// Root may write anything, so the test becomes somebody else for a moment.
class AsNobody {
 public:
  AsNobody() {
    if (::geteuid() == 0) {
      EXPECT_EQ(::seteuid(65534), 0);
    }
  }
  ~AsNobody() {
    if (::getuid() == 0) {
      EXPECT_EQ(::seteuid(0), 0);
    }
  }
};

TEST(StateDir, SaysThatAStoreIsReadOnlyAndThatItMayBeTriedAgain) {
  const TempDir dir;
  ASSERT_TRUE((*OpenSqliteStore(dir.path()))->Commit(std::vector{MakeCommitment("r1", 1)}));
  ::chmod((dir / kStoreFile).c_str(), ::geteuid() == 0 ? 0444 : 0400);
  ::chmod(dir.path().c_str(), ::geteuid() == 0 ? 0755 : 0500);
  {
    const AsNobody nobody;
    const auto opened = OpenSqliteStore(dir.path());
    ASSERT_FALSE(opened);
    EXPECT_TRUE(opened.error().retryable);
    EXPECT_NE(opened.error().message.find("read-only"), std::string::npos) << opened.error().message;
    EXPECT_EQ(opened.error().message.find("not an error"), std::string::npos) << opened.error().message;
  }
  ::chmod(dir.path().c_str(), 0700);
  ::chmod((dir / kStoreFile).c_str(), 0600);
  const auto opened = OpenSqliteStore(dir.path());
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ((*opened)->LiveIds()->size(), 1U);
}

}  // namespace
}  // namespace tw::store
