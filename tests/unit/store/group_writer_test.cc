#include "store/group_writer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <latch>
#include <thread>

#include "contract/store_contract.h"

namespace tw::store {
namespace {

class GroupWriterTest : public testing::Test {
 protected:
  GroupWriterTest() : path_((std::ofstream(dir_ / "db"), dir_ / "db")), writer_(Open()) {
    EXPECT_TRUE(writer_.Run(Durability::kLazy,
                            [](auto& access) { access.connection.Execute("CREATE TABLE t (v)"); }));
  }
  std::unique_ptr<Connection> Open() {
    auto connection = std::make_unique<Connection>(path_, seconds(1));
    connection->Execute("PRAGMA journal_mode = WAL");
    return connection;
  }
  static GroupWriter::Work Insert(int value) {
    return [value](auto& access) { Query(access.connection, "INSERT INTO t VALUES (?1)", value).Run(); };
  }
  std::int64_t Rows() { return Open()->Number("SELECT count(*) FROM t"); }

  TempDir dir_;
  std::string path_;
  GroupWriter writer_;
};

TEST_F(GroupWriterTest, KeepsAllOfAPieceOfWorkOrNothing) {
  const Status failed = writer_.Run(Durability::kDurable, [](auto& access) {
    Insert(1)(access);
    throw StorageError(Error::Failure("on purpose"));
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "on purpose");
  EXPECT_EQ(Rows(), 0);
  EXPECT_TRUE(writer_.Run(Durability::kDurable, Insert(2)));
  EXPECT_EQ(Rows(), 1);
}

TEST_F(GroupWriterTest, OneFailureDoesNotHarmTheWorkThatSharesItsTransaction) {
  std::promise<void> begun;
  std::promise<void> go_on;
  std::thread first([&] {
    EXPECT_TRUE(writer_.Run(Durability::kLazy, [&](auto& access) {
      begun.set_value();
      go_on.get_future().wait();
      Insert(1)(access);
    }));
  });
  begun.get_future().wait();
  // These wait for the first and are then taken together, in whatever order they came.
  std::vector<std::future<Status>> others;
  for (int i = 0; i < 4; ++i) {
    others.push_back(std::async(std::launch::async, [this, i] {
      return writer_.Run(Durability::kDurable, [i](auto& access) {
        if (i == 2) throw std::runtime_error("this one only");
        Insert(10 + i)(access);
      });
    }));
  }
  go_on.set_value();
  first.join();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(others[static_cast<std::size_t>(i)].get().has_value(), i != 2);
  EXPECT_EQ(Rows(), 4);
}

TEST_F(GroupWriterTest, TellsWhenAnotherProcessHoldsTheStoreAndGoesOnAfterwards) {
  const auto other = Open();
  other->Execute("BEGIN IMMEDIATE");
  const Status busy = writer_.Run(Durability::kDurable, Insert(1));
  ASSERT_FALSE(busy);
  EXPECT_TRUE(busy.error().retryable);
  EXPECT_NE(busy.error().message.find("held by another process"), std::string::npos) << busy.error().message;
  other->Execute("ROLLBACK");
  EXPECT_TRUE(writer_.Run(Durability::kDurable, Insert(1)));
  EXPECT_EQ(Rows(), 1);
}

}  // namespace
}  // namespace tw::store
