// kill -9 at arbitrary moments: what was acknowledged is there, and what is there hangs together.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <random>
#include <set>
#include <sstream>

#include "contract/store_contract.h"
#include "store/sqlite_connection.h"

namespace tw::store {
namespace {

constexpr int kKills = 60;
constexpr int kEventsOfALife = 100'000;  // at most; each is dated a second after the one before

SystemTime BeginOf(int life) {
  return kStart + seconds(life * kEventsOfALife);
}

// The child: takes events in, claims, finishes some in every way, and writes each event id down once its
// commit has returned. Never returns.
[[noreturn]] void Work(const std::string& dir, int life, int acknowledge) {
  auto opened = OpenSqliteStore(dir);
  if (!opened) ::_exit(3);
  Store& store = **opened;
  if (!store.ReleaseLeases("serve")) ::_exit(3);
  for (int n = 0;; ++n) {
    std::vector<Commitment> batch;
    for (int r = 0; r < 4; ++r)
      batch.push_back(
          MakeCommitment("r" + std::to_string((n * 4 + r) % 23), life * kEventsOfALife + n * 4 + r));
    const auto committed = store.CommitAndClaim(
        batch, {"serve", kStart + hours(1), {{"hook", static_cast<std::size_t>(n % 3)}}});
    if (!committed) ::_exit(3);
    std::string told;
    for (const Commitment& commitment : batch) told += commitment.change.event->id + "\n";
    if (::write(acknowledge, told.data(), told.size()) != static_cast<ssize_t>(told.size())) ::_exit(3);

    std::vector<Delivery> claimed = committed->claimed;
    const auto more = store.Claim("hook", kStart, 6, "serve", kStart + hours(1));
    if (!more) ::_exit(3);
    claimed.insert(claimed.end(), more->begin(), more->end());
    std::vector<AttemptRecord> records;
    for (const Delivery& delivery : claimed) {
      if (delivery.id % 5 == 0) records.push_back(PutOff(delivery.id, kStart - seconds(1)));
      if (delivery.id % 5 == 1) records.push_back(Died(delivery.id));
      if (delivery.id % 5 > 2) records.push_back(Delivered(delivery.id));
    }
    if (!store.Finish(records)) ::_exit(3);
    if (n % 7 == 0 && !store.Sweep(BeginOf(life), hours(1), 5)) ::_exit(3);
  }
}

// Reads whole lines that were written before the child died.
void ReadAll(int fd, std::set<std::string>& acknowledged) {
  std::string text;
  std::array<char, 65536> buffer{};
  for (ssize_t size = 0; (size = ::read(fd, buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(size));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line) && !lines.eof();) acknowledged.insert(line);
}

void ExpectSound(const std::string& dir, int life, const std::set<std::string>& acknowledged) {
  auto store = *OpenSqliteStore(dir);
  Connection connection(dir + "/" + kStoreFile, seconds(1));
  Query integrity(connection, "PRAGMA integrity_check");
  ASSERT_TRUE(integrity.Next());
  ASSERT_EQ(integrity.Text(0), "ok");

  std::set<std::string> kept;
  Query events(connection, "SELECT id FROM event");
  while (events.Next()) kept.insert(events.String(0));
  for (const std::string& id : acknowledged) ASSERT_TRUE(kept.contains(id)) << id << " was lost";

  // Each event has its delivery (those of earlier lives may have been swept); of each request exactly the
  // oldest pending one may go; the counts are true.
  Query bare(connection,
             "SELECT count(*) FROM event WHERE created >= ?1 AND number NOT IN (SELECT event FROM delivery)",
             BeginOf(life));
  ASSERT_TRUE(bare.Next());
  EXPECT_EQ(bare.Int(0), 0);
  EXPECT_EQ(
      connection.Number("SELECT count(*) FROM delivery d WHERE head <> (status = 0 AND id = (SELECT min(id) "
                        "FROM delivery o WHERE o.request = d.request AND o.endpoint = d.endpoint "
                        "AND o.status = 0))"),
      0);
  EXPECT_EQ(connection.Number(
                "SELECT count(*) FROM endpoint e WHERE "
                "pending <> (SELECT count(*) FROM delivery WHERE endpoint = e.number AND status = 0) "
                "OR delivered <> (SELECT count(*) FROM delivery WHERE endpoint = e.number AND status = 1) "
                "OR dead <> (SELECT count(*) FROM delivery WHERE endpoint = e.number AND status = 2)"),
            0);
}

TEST(Crash, LosesNothingThatWasAcknowledged) {
  const TempDir dir;
  std::mt19937 random(20261122);
  std::set<std::string> acknowledged;
  for (int life = 1; life <= kKills; ++life) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(pipe[0]);
      Work(dir.path(), life, pipe[1]);
    }
    ::close(pipe[1]);
    pollfd first{pipe[0], POLLIN, 0};
    ASSERT_EQ(::poll(&first, 1, 60'000), 1);
    // The moment only has to differ from life to life.
    ::usleep(static_cast<useconds_t>(random() % 15'000));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ReadAll(pipe[0], acknowledged);
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        << "the child ended by itself: " << status;
    ExpectSound(dir.path(), life, acknowledged);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(acknowledged.size(), static_cast<std::size_t>(kKills));
}

}  // namespace
}  // namespace tw::store
