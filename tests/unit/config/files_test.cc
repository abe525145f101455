#include "config/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace tw::config {
namespace {

using ::testing::HasSubstr;

// A directory of its own, which is also the working directory while the test runs.
class FindConfigFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "tw-config-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    before_ = std::filesystem::current_path();
    std::filesystem::current_path(dir_);
  }
  void TearDown() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(dir_);
  }
  static void Write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
  std::string system() const { return dir_ / "system.toml"; }

  std::filesystem::path dir_;
  std::filesystem::path before_;
};

TEST_F(FindConfigFileTest, FlagBeatsVariableBeatsWorkingDirectoryBeatsSystem) {
  Write("flag.toml", "flag");
  Write("variable.toml", "variable");
  Write("teleport-webhooks.toml", "local");
  Write(system(), "system");
  const std::map<std::string, std::string> environment = {{"TELEPORT_WEBHOOKS_CONFIG", "variable.toml"}};
  const auto text = [&](const FileSearch& search, const std::map<std::string, std::string>& variables) {
    return FindConfigFile(search, variables, system()).value().value().text;
  };
  EXPECT_EQ(text({"flag.toml", true}, environment), "flag");
  EXPECT_EQ(text({"", true}, environment), "variable");
  EXPECT_EQ(text({"", true}, {}), "local");
  EXPECT_EQ(text({"", false}, {}), "system");
}

TEST_F(FindConfigFileTest, NoFileAnywhereIsNoError) {
  EXPECT_FALSE(FindConfigFile({"", true}, {}, system()).value().has_value());
}

TEST_F(FindConfigFileTest, AFileThatIsNamedMustBeThere) {
  const auto result = FindConfigFile({"gone.toml", true}, {}, system());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(result.error().message, HasSubstr("cannot read gone.toml: No such file or directory"));
}

TEST_F(FindConfigFileTest, TellsThePermissionsOfTheFile) {
  Write("c.toml", "");
  ASSERT_EQ(::chmod("c.toml", 0640), 0);
  EXPECT_EQ(FindConfigFile({"c.toml", true}, {}, system()).value().value().mode, 0640U);
}

TEST_F(FindConfigFileTest, ReadsAPipeToItsEnd) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "abc", 3), 3);
  ::close(ends[1]);
  const auto result = RealFiles().Read("/dev/fd/" + std::to_string(ends[0]));
  ::close(ends[0]);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->text, "abc");
  EXPECT_FALSE(result->mode);
}

TEST_F(FindConfigFileTest, RefusesDirectoriesAndHugeFiles) {
  EXPECT_THAT(RealFiles().Read(dir_).error().message, HasSubstr("Is a directory"));
  EXPECT_FALSE(RealFiles().Readable(dir_));
  Write("big", std::string(kMostFileBytes + 1, 'x'));
  EXPECT_THAT(RealFiles().Read("big").error().message, HasSubstr("too large"));
}

}  // namespace
}  // namespace tw::config
