#include "callback/mhd/connection_table.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <list>

#include "base/unique_fd.h"

namespace tw::callback {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class ConnectionTableTest : public testing::Test {
 protected:
  // The far end of a connection in the table.
  struct Peer {
    UniqueFd near;
    UniqueFd far;
    Connection* connection = nullptr;

    bool Cut() const {  // waits for the end of the stream
      std::array<char, 1> byte{};
      return ::recv(far.get(), byte.data(), byte.size(), 0) == 0;
    }
    bool Open() const {
      std::array<char, 1> byte{};
      return ::recv(far.get(), byte.data(), byte.size(), MSG_DONTWAIT) < 0;
    }
  };

  Peer& Connect(ConnectionTable& table, const std::string& key, Duration patience = hours(1)) {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
    Peer& peer = peers.emplace_back();
    peer.near = UniqueFd(fds[0]);
    peer.far = UniqueFd(fds[1]);
    peer.connection = table.Add(fds[0], "192.0.2.1", key, std::chrono::steady_clock::now() + patience);
    return peer;
  }

  std::list<Peer> peers;
};

TEST_F(ConnectionTableTest, LimitsConnectionsOfOneAddressButNotOfTheExempt) {
  ConnectionTable table({100, 2});
  Connect(table, "192.0.2.1");
  Peer& second = Connect(table, "192.0.2.1");
  EXPECT_FALSE(table.Admit("192.0.2.1"));
  EXPECT_TRUE(table.Admit("192.0.2.2"));
  for (int i = 0; i < 5; ++i) Connect(table, "");
  EXPECT_TRUE(table.Admit(""));
  table.Remove(second.connection);
  EXPECT_TRUE(table.Admit("192.0.2.1"));
}

TEST_F(ConnectionTableTest, CutsTheOneThatHasWaitedLongestForTheNewcomer) {
  ConnectionTable table({2, 0});
  Peer& oldest = Connect(table, "", hours(2));
  Peer& newer = Connect(table, "", hours(1));  // however much time each was given
  EXPECT_TRUE(table.Admit(""));
  EXPECT_TRUE(oldest.Cut());
  EXPECT_TRUE(newer.Open());
}

TEST_F(ConnectionTableTest, CutsASlowRequestRatherThanWhoCameLater) {
  ConnectionTable table({2, 0, milliseconds(0)});
  Peer& slow = Connect(table, "");
  table.Enter(slow.connection, Phase::kReceiving, std::chrono::steady_clock::now() + hours(1));
  Peer& newcomer = Connect(table, "");
  EXPECT_TRUE(table.Admit(""));
  EXPECT_TRUE(slow.Cut());
  EXPECT_TRUE(newcomer.Open());
}

TEST_F(ConnectionTableTest, NeverCutsARequestThatIsBeingAnsweredForANewcomer) {
  ConnectionTable table({1, 0, milliseconds(0)});
  Peer& busy = Connect(table, "");
  table.Enter(busy.connection, Phase::kAnswering, std::chrono::steady_clock::now() + hours(1));
  EXPECT_FALSE(table.Admit(""));
  EXPECT_TRUE(busy.Open());
}

TEST_F(ConnectionTableTest, NeverCutsARequestUnderWayForANewcomer) {
  ConnectionTable table({1, 0});
  Peer& busy = Connect(table, "");
  table.Enter(busy.connection, Phase::kReceiving, std::chrono::steady_clock::now() + hours(1));
  EXPECT_FALSE(table.Admit(""));
  EXPECT_TRUE(busy.Open());
}

TEST_F(ConnectionTableTest, CutsWhatIsPastItsDeadlineAlsoWhenItCameNearerLater) {
  ConnectionTable table({10, 0});
  Peer& first = Connect(table, "", milliseconds(1));
  EXPECT_TRUE(first.Cut());
  Peer& second = Connect(table, "", hours(1));
  table.Enter(second.connection, Phase::kReceiving, std::chrono::steady_clock::now() + milliseconds(1));
  EXPECT_TRUE(second.Cut());
}

TEST_F(ConnectionTableTest, IsQuietWhenNoRequestIsUnderWay) {
  ConnectionTable table({10, 0});
  Peer& peer = Connect(table, "");
  EXPECT_TRUE(table.AwaitQuiet(std::chrono::steady_clock::now()));
  table.Enter(peer.connection, Phase::kAnswering, std::chrono::steady_clock::now() + hours(1));
  EXPECT_FALSE(table.AwaitQuiet(std::chrono::steady_clock::now()));
  table.CloseWaiting();
  EXPECT_TRUE(peer.Open());
  table.Enter(peer.connection, Phase::kAwaiting, std::chrono::steady_clock::now() + hours(1));
  EXPECT_TRUE(peer.Cut());
  EXPECT_FALSE(table.Admit(""));
}

}  // namespace
}  // namespace tw::callback
