#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "contract/store_contract.h"
#include "store/sqlite_schema.h"

namespace tw::store {
namespace {

class Schema : public testing::Test {
 protected:
  std::string Path() const { return dir_ / kStoreFile; }
  std::unique_ptr<Connection> Open() {
    std::ofstream(Path(), std::ios::app).flush();
    return std::make_unique<Connection>(Path(), seconds(1));
  }
  Error OpenFailure() {
    const auto opened = OpenSqliteStore(dir_.path());
    EXPECT_FALSE(opened);
    return opened ? Error() : opened.error();
  }
  TempDir dir_;
};

TEST_F(Schema, MarksTheFileAsOurs) {
  ASSERT_TRUE(OpenSqliteStore(dir_.path()));
  const auto connection = Open();
  EXPECT_EQ(connection->Number("PRAGMA application_id"), 0x74776873);
  EXPECT_EQ(connection->Number("PRAGMA user_version"), static_cast<std::int64_t>(SchemaSteps().size()));
  EXPECT_EQ(connection->Number("PRAGMA auto_vacuum"), 2);
}

TEST_F(Schema, RefusesANewerStoreAndNamesBothVersions) {
  ASSERT_TRUE(OpenSqliteStore(dir_.path()));
  Open()->Execute("PRAGMA user_version = 99");
  const Error error = OpenFailure();
  EXPECT_FALSE(error.retryable);
  EXPECT_NE(error.message.find("newer version"), std::string::npos) << error.message;
  EXPECT_NE(error.message.find("99"), std::string::npos) << error.message;
  EXPECT_NE(error.message.find("up to " + std::to_string(SchemaSteps().size())), std::string::npos);
  EXPECT_EQ(Open()->Number("PRAGMA user_version"), 99);
}

TEST_F(Schema, RefusesTheDatabaseOfAnotherProgram) {
  Open()->Execute("CREATE TABLE notes (text)");
  const Error error = OpenFailure();
  EXPECT_FALSE(error.retryable);
  EXPECT_NE(error.message.find("not a store"), std::string::npos) << error.message;
  EXPECT_EQ(Open()->Number("SELECT count(*) FROM sqlite_schema"), 1);
}

TEST_F(Schema, RefusesADamagedFile) {
  std::ofstream(Path()) << std::string(8192, 'x');
  const Error error = OpenFailure();
  EXPECT_FALSE(error.retryable);
  EXPECT_NE(error.message.find("damaged"), std::string::npos) << error.message;
  EXPECT_FALSE(error.hint.empty());
}

TEST_F(Schema, BringsAnOlderStoreUpToDate) {
  const std::array steps = {"CREATE TABLE a (v); INSERT INTO a VALUES (1)",
                            "CREATE TABLE b AS SELECT v + 1 AS v FROM a"};
  BringUpToDate(*Open(), std::span(steps).first(1));
  BringUpToDate(*Open(), steps);
  EXPECT_EQ(Open()->Number("SELECT v FROM b"), 2);
  EXPECT_EQ(Open()->Number("PRAGMA user_version"), 2);
}

TEST_F(Schema, LeavesAnOlderStoreAsItWasWhenAStepFails) {
  const std::array steps = {"CREATE TABLE a (v)", "DROP TABLE a; CREATE TABLE b (v)",
                            "INSERT INTO nowhere VALUES (1)"};
  BringUpToDate(*Open(), std::span(steps).first(1));
  EXPECT_THROW(BringUpToDate(*Open(), steps), StorageError);
  EXPECT_EQ(Open()->Number("PRAGMA user_version"), 1);
  EXPECT_EQ(Open()->Number("SELECT count(*) FROM sqlite_schema WHERE name = 'a'"), 1);
}

}  // namespace
}  // namespace tw::store
