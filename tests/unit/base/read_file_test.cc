#include "base/read_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace tw {
namespace {

class ReadFileTest : public testing::Test {
 protected:
  ReadFileTest() {
    std::string name = testing::TempDir() + "/tw-read-XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  ~ReadFileTest() override { std::filesystem::remove_all(directory_); }

  std::string Holding(const std::string& text) const {
    std::ofstream(path()) << text;
    return path();
  }
  std::string path() const { return directory_ + "/file"; }
  static std::string Message(const std::string& path) {
    const auto read = ReadFile(path);
    EXPECT_FALSE(read);
    return read ? std::string() : read.error().message;
  }

  std::string directory_;
};

TEST_F(ReadFileTest, GivesTheWholeContent) {
  for (const std::size_t size : {1UL, 4095UL, 4096UL, 5'000UL, 1024UL * 1024}) {
    const std::string text(size, 'k');
    const auto read = ReadFile(Holding(text));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->Reveal().size(), size);
    EXPECT_EQ(read->Reveal(), text);
  }
}

TEST_F(ReadFileTest, ReadsFilesThatTellNoSize) {
  const auto read = ReadFile("/proc/self/smaps");  // of many pages
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_GT(read->Reveal().size(), 4096U);
  EXPECT_TRUE(read->Reveal().ends_with('\n'));
}

TEST_F(ReadFileTest, SaysWhatIsWrongWithTheFile) {
  EXPECT_EQ(Message(path()), path() + " does not exist");
  EXPECT_EQ(Message(directory_), directory_ + " is not a file");
  EXPECT_EQ(Message(Holding("")), path() + " is empty");
  EXPECT_EQ(Message(Holding(std::string(1024UL * 1024 + 1, 'k'))), path() + " is larger than 1 MiB");
}

TEST_F(ReadFileTest, DoesNotWaitForTheWriterOfAPipe) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_EQ(Message(path()), path() + " is not a file");
}

}  // namespace
}  // namespace tw
