#include "logging/spdlog_logger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/unique_fd.h"
#include "fakes/fake_clock.h"

namespace tw::logging {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Slurp(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

std::size_t Lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// What this process writes to standard error, in a pipe instead.
class StderrPipe {
 public:
  StderrPipe() {
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) ADD_FAILURE() << "no pipe";
    reader_ = UniqueFd(ends[0]);
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
  }
  ~StderrPipe() { Restore(); }
  void Restore() const { ::dup2(saved_.get(), STDERR_FILENO); }
  // What one read gives of at most `most` bytes.
  std::string Read(std::size_t most) const {
    std::string text(most, '\0');
    const ssize_t count = ::read(reader_.get(), text.data(), text.size());
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return text;
  }

 private:
  UniqueFd reader_;
  const UniqueFd saved_{::dup(STDERR_FILENO)};
};

class SpdlogLoggerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "tw-log-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    settings_.output = dir_ / "x.log";
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::unique_ptr<ReopenableLogger> Make() {
    auto logger = MakeLogger(settings_, clock_);
    EXPECT_TRUE(logger) << logger.error().message;
    return std::move(*logger);
  }

  std::filesystem::path dir_;
  config::LogSettings settings_;
  fakes::FakeClock clock_;
};

TEST_F(SpdlogLoggerTest, AppendsToItsFileAndCreatesItForOwnerAndGroupOnly) {
  const mode_t before = ::umask(0);
  Make()->Info("first");
  ::umask(before);
  Make()->Info("second");
  EXPECT_THAT(Slurp(settings_.output), ::testing::MatchesRegex(".* INFO  first\n.* INFO  second\n"));
  struct stat info {};
  ASSERT_EQ(::stat(settings_.output.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0640U);
}

TEST_F(SpdlogLoggerTest, DropsWhatIsLessSevereThanItsLevel) {
  settings_.severity = LogLevel::kWarning;
  const auto logger = Make();
  logger->Debug("d");
  logger->Info("i");
  logger->Warn("w");
  EXPECT_EQ(Lines(Slurp(settings_.output)), 1U);
  logger->SetLevel(LogLevel::kDebug);
  logger->Debug("now");
  EXPECT_THAT(Slurp(settings_.output), HasSubstr("DEBUG now"));
}

TEST_F(SpdlogLoggerTest, WritesJsonWhenAsked) {
  settings_.format = config::LogFormat::kJson;
  Make()->Info("m", {{"k", "v"}});
  EXPECT_THAT(
      Slurp(settings_.output),
      ::testing::MatchesRegex("\\{\"time\":\".*Z\",\"level\":\"info\",\"message\":\"m\",\"k\":\"v\"\\}\n"));
}

TEST_F(SpdlogLoggerTest, FollowsItsPathAfterReopen) {
  const auto logger = Make();
  logger->Info("old");
  std::filesystem::rename(settings_.output, dir_ / "moved");
  logger->Info("still old");
  ASSERT_TRUE(logger->Reopen());
  logger->Info("new");
  EXPECT_EQ(Lines(Slurp(dir_ / "moved")), 2U);
  EXPECT_THAT(Slurp(settings_.output), HasSubstr("new"));
}

TEST_F(SpdlogLoggerTest, KeepsTheOldFileWhenReopeningFails) {
  std::filesystem::create_directory(dir_ / "sub");
  settings_.output = dir_ / "sub/x.log";
  const auto logger = Make();
  std::filesystem::rename(dir_ / "sub", dir_ / "away");
  EXPECT_FALSE(logger->Reopen());
  logger->Info("kept");
  EXPECT_THAT(Slurp(dir_ / "away/x.log"), HasSubstr("kept"));
}

TEST_F(SpdlogLoggerTest, SaysWhyAFileCannotBeOpened) {
  settings_.output = dir_ / "gone/x.log";
  const auto logger = MakeLogger(settings_, clock_);
  ASSERT_FALSE(logger);
  EXPECT_EQ(logger.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(logger.error().message, HasSubstr("gone/x.log: No such file or directory"));
}

TEST_F(SpdlogLoggerTest, TellsOnceThatLinesAreLostAndHowManyWhenItWorksAgain) {
  const StderrPipe pipe;
  // A link, so that the path can be turned from a full device to a file.
  std::filesystem::create_symlink("/dev/full", settings_.output);
  const auto logger = Make();
  logger->Info("lost");
  logger->Info("lost too");
  std::filesystem::remove(settings_.output);
  const Status reopened = logger->Reopen();
  logger->Info("back");
  pipe.Restore();

  EXPECT_TRUE(reopened);
  const std::string said = pipe.Read(4096);
  ASSERT_FALSE(said.empty());
  EXPECT_THAT(said, HasSubstr("No space left on device"));
  EXPECT_EQ(Lines(said), 1U) << said;
  EXPECT_THAT(Slurp(settings_.output),
              ::testing::MatchesRegex(".* WARN  log lines were lost lines=2\n.* INFO  back\n"));
}

TEST_F(SpdlogLoggerTest, IsNotHeldUpByAPipeThatNobodyReads) {
  const StderrPipe pipe;
  settings_.output = "stderr";
  const auto logger = Make();
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) logger->Info(std::string(5000, 'x'));  // more than the 64 KiB of a pipe
  const auto took = std::chrono::steady_clock::now() - began;
  const std::string said = pipe.Read(1 << 20);
  logger->Info("back");
  pipe.Restore();

  EXPECT_LT(took, std::chrono::seconds(20));  // one stall of a second, not one for each line
  const std::size_t whole = Lines(said);
  EXPECT_GE(whole, 5U);
  const std::string after = pipe.Read(4096);
  ASSERT_FALSE(after.empty());
  const bool torn = said.back() != '\n';
  EXPECT_THAT(after,
              ::testing::MatchesRegex(std::string(torn ? "\n" : "") + ".* WARN  log lines were lost lines=" +
                                      std::to_string(100 - whole) + "\n.* INFO  back\n"));
}

TEST_F(SpdlogLoggerTest, UsesNoColourOffTheTerminal) {
  auto logger = MakeLogger(settings_, clock_, {.color = true});
  ASSERT_TRUE(logger);
  (*logger)->Error("x");
  EXPECT_THAT(Slurp(settings_.output), Not(HasSubstr("\x1b")));
}

TEST_F(SpdlogLoggerTest, KeepsLinesWholeWhenManyThreadsWriteAndTheFileIsReopened) {
  constexpr int kThreads = 4;
  constexpr int kEach = 200;
  const auto logger = Make();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < kEach; ++j) logger->Info("a message", {{"n", j}});
      });
    }
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(logger->Reopen());
  }
  const std::string text = Slurp(settings_.output);
  EXPECT_EQ(Lines(text), static_cast<std::size_t>(kThreads * kEach));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    EXPECT_THAT(line, ::testing::MatchesRegex(".*Z INFO  a message n=[0-9]+"));
}

}  // namespace
}  // namespace tw::logging
