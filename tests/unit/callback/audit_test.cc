#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "base/text.h"
#include "callback/audit_file.h"
#include "callback/audit_line.h"
#include "crypto/digest.h"
#include "fakes/fake_logger.h"

namespace tw::callback {
namespace {

class AuditTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "tw-audit-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory = pattern;
    path = directory / "audit.log";
  }
  void TearDown() override { std::filesystem::remove_all(directory); }

  std::unique_ptr<AuditFile> Open() {
    auto opened = AuditFile::Open(path, log);
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(*opened);
  }
  static AuditRecord Record(const std::string& id) {
    return {SystemTime(std::chrono::seconds(1'795'000'000)),
            "portal",
            "192.0.2.7",
            id,
            "approve",
            "webhooks:carol",
            200,
            "approved",
            0};
  }
  static void Fill(AuditLog& audit, int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(audit.Append(Record("req-" + std::to_string(i))));
  }
  std::string Text() const {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  void Rewrite(const std::string& text) const { std::ofstream(path, std::ios::trunc) << text; }

  fakes::FakeLogger log;
  std::filesystem::path directory;
  std::string path;
};

TEST_F(AuditTest, TellsEveryOneWhoWaitedForASyncThatFailed) {
  path = "/dev/null";  // takes every line and can sync none
  const auto audit = Open();
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 200; ++n) refused += audit->Append(Record("req-1")) ? 0 : 1;
      });
    }
  }
  EXPECT_EQ(refused, 8 * 200);
}

TEST_F(AuditTest, ChainsWhatItWrites) {
  Fill(*Open(), 3);
  const auto report = VerifyAudit(path);
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->whole);
  EXPECT_EQ(report->lines, 3U);
  EXPECT_TRUE(report->from_start);
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(AuditTest, ShowsChangedRemovedAndReorderedLines) {
  Fill(*Open(), 4);
  const std::string good = Text();
  std::vector<std::string> lines;
  std::istringstream stream(good);
  for (std::string line; std::getline(stream, line);) lines.push_back(line + "\n");
  std::string changed = good;
  changed.replace(changed.find("req-1"), 5, "req-9");
  for (const std::string& bad :
       {changed, lines[0] + lines[2] + lines[3], lines[0] + lines[2] + lines[1] + lines[3],
        lines[0] + lines[0] + lines[1] + lines[2], lines[0] + "\n" + lines[1]}) {
    Rewrite(bad);
    const auto report = VerifyAudit(path);
    ASSERT_TRUE(report);
    EXPECT_FALSE(report->whole);
    EXPECT_NE(report->problem.find("audit.log:2:"), std::string::npos) << report->problem;
  }
}

TEST_F(AuditTest, ContinuesTheChainAfterARestart) {
  Fill(*Open(), 2);
  Fill(*Open(), 2);
  const auto report = VerifyAudit(path);
  EXPECT_TRUE(report->whole) << report->problem;
  EXPECT_EQ(report->lines, 4U);
}

TEST_F(AuditTest, CutsOffWhatACrashLeftOfALine) {
  Fill(*Open(), 2);
  const std::string good = Text();
  for (const std::size_t length : {std::size_t{1}, std::size_t{40}, std::size_t{200}}) {
    Rewrite(good + good.substr(0, length));
    EXPECT_TRUE(VerifyAudit(path)->torn_tail);
    EXPECT_TRUE(VerifyAudit(path)->whole);
    Fill(*Open(), 1);
    const auto report = VerifyAudit(path);
    EXPECT_TRUE(report->whole) << report->problem;
    EXPECT_FALSE(report->torn_tail);
    EXPECT_EQ(report->lines, 3U);
  }
}

TEST_F(AuditTest, GoesOnInANewFileWhenTheOldOneIsMovedAway) {
  const auto audit = Open();
  Fill(*audit, 2);
  std::filesystem::rename(path, path + ".1");
  Fill(*audit, 2);
  EXPECT_EQ(VerifyAudit(path + ".1")->lines, 2U);
  const auto report = VerifyAudit(path);
  EXPECT_TRUE(report->whole) << report->problem;
  EXPECT_TRUE(report->from_start);
  EXPECT_EQ(report->lines, 4U);
  std::filesystem::remove(path + ".1");
  const auto rest = VerifyAudit(path);
  EXPECT_TRUE(rest->whole);
  EXPECT_FALSE(rest->from_start);
  EXPECT_EQ(rest->first_seq, 3U);
}

TEST_F(AuditTest, ShowsWhatIsMissingBetweenRotatedFiles) {
  const auto audit = Open();
  Fill(*audit, 2);
  const std::string first = Text();
  std::filesystem::rename(path, path + ".1");
  Fill(*audit, 2);
  const std::string second = Text();
  std::ofstream(path + ".1", std::ios::trunc) << first.substr(0, first.find('\n') + 1);
  EXPECT_NE(VerifyAudit(path)->problem.find("audit.log:1: does not follow"), std::string::npos);
  std::ofstream(path + ".1", std::ios::trunc) << first;
  EXPECT_TRUE(VerifyAudit(path)->whole);
  Rewrite(second.substr(second.find('\n') + 1));
  EXPECT_NE(VerifyAudit(path)->problem.find("audit.log:1: does not follow"), std::string::npos);
}

TEST_F(AuditTest, ReadsOnlyLinesOfItsOwnForm) {
  std::string hash;
  const std::string good = AuditLine(Record("req-1"), 7, kNoHash, hash);
  ASSERT_TRUE(ReadAuditLine(good));
  EXPECT_EQ(ReadAuditLine(good)->seq, 7U);
  EXPECT_EQ(ReadAuditLine(good)->prev, kNoHash);
  for (const std::string& text :
       {std::string("{\"seq\":7"), std::string("{}"), std::string(), "{\"seq\":" + std::string(120, '1'),
        "{\"seq\":x,\"prev\":\"" + std::string(kNoHash) + "\"",
        "{\"seq\":7,\"prev\":\"" + std::string(64, '0'),
        "{\"seq\":7,\"prev\":\"" + std::string(63, '0') + "\"" + std::string(60, ' ')}) {
    EXPECT_FALSE(ReadAuditLine(text + ",\"hash\":\"" + HexEncode(crypto::Sha256(text)) + "\"}")) << text;
  }
}

TEST_F(AuditTest, ContinuesARotatedFileAfterARestart) {
  Fill(*Open(), 2);
  std::filesystem::rename(path, path + ".1");
  Fill(*Open(), 1);
  EXPECT_TRUE(VerifyAudit(path)->whole);
  EXPECT_EQ(VerifyAudit(path)->lines, 3U);
}

TEST_F(AuditTest, KeepsADamagedEndVisible) {
  Fill(*Open(), 2);
  std::string text = Text();
  text[text.size() - 10] ^= 1;
  Rewrite(text);
  Fill(*Open(), 1);
  EXPECT_FALSE(VerifyAudit(path)->whole);
  EXPECT_TRUE(log.Said("damaged"));
}

TEST_F(AuditTest, TakesRecordsOfManyThreads) {
  const auto audit = Open();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) threads.emplace_back([&] { Fill(*audit, 20); });
  }
  const auto report = VerifyAudit(path);
  EXPECT_TRUE(report->whole) << report->problem;
  EXPECT_EQ(report->lines, 160U);
}

TEST_F(AuditTest, EscapesWhatCallersTyped) {
  AuditRecord record = Record("a\n{\"x\"}");
  record.delegator = "\x1b[2J\"quote";
  ASSERT_TRUE(Open()->Append(record));
  const auto report = VerifyAudit(path);
  EXPECT_TRUE(report->whole) << report->problem;
  EXPECT_EQ(report->lines, 1U);
  EXPECT_EQ(Text().find('\x1b'), std::string::npos);
}

TEST_F(AuditTest, SaysWhenItCannotWriteAndRecovers) {
  const auto audit = Open();
  Fill(*audit, 1);
  std::filesystem::rename(directory, directory.string() + ".away");
  EXPECT_FALSE(audit->Append(Record("req-x")));
  EXPECT_FALSE(audit->Ready());
  std::filesystem::rename(directory.string() + ".away", directory);
  EXPECT_TRUE(audit->Ready());
  Fill(*audit, 1);
  EXPECT_TRUE(VerifyAudit(path)->whole);
  EXPECT_EQ(VerifyAudit(path)->lines, 2U);
}

TEST_F(AuditTest, TakesTheRoomForTheNextLinesBeforeADecision) {
  const auto audit = Open();
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(audit->Ready());
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_GE(info.st_blocks * 512, info.st_size + 32 * 1024);
    Fill(*audit, 1);
  }
  EXPECT_TRUE(VerifyAudit(path)->whole);
  EXPECT_EQ(VerifyAudit(path)->lines, 300U);
}

TEST_F(AuditTest, GoesOnInAFileThatWasCopiedAndCut) {
  const auto audit = Open();
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(audit->Ready());
    Fill(*audit, 1);
  }
  std::filesystem::copy_file(path, path + ".1");
  std::filesystem::resize_file(path, 0);
  ASSERT_TRUE(audit->Ready());
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_GE(info.st_blocks * 512, 32 * 1024);
  Fill(*audit, 1);
  EXPECT_TRUE(VerifyAudit(path)->whole) << VerifyAudit(path)->problem;
  EXPECT_EQ(VerifyAudit(path)->lines, 301U);
}

TEST_F(AuditTest, AMissingTrailIsEmptyAndNotBroken) {
  const auto report = VerifyAudit(path);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->lines, 0U);
  EXPECT_TRUE(report->whole);
}

}  // namespace
}  // namespace tw::callback
