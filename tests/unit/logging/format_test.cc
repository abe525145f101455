#include "logging/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/duration.h"
#include "base/text.h"

namespace tw::logging {
namespace {

const SystemTime kNow = ParseTime("2026-11-22T10:00:00.123Z").value();

std::string Text(std::string_view message, std::initializer_list<LogField> fields,
                 LogLevel level = LogLevel::kInfo) {
  return FormatText(kNow, level, message, {fields.begin(), fields.size()}, false);
}
std::string Json(std::string_view message, std::initializer_list<LogField> fields,
                 LogLevel level = LogLevel::kInfo) {
  return FormatJson(kNow, level, message, {fields.begin(), fields.size()});
}

TEST(FormatText, HasTimeLevelMessageAndFields) {
  EXPECT_EQ(Text("webhook sent", {{"endpoint", "default"}, {"status", 200}}),
            "2026-11-22T10:00:00.123Z INFO  webhook sent endpoint=default status=200");
  EXPECT_EQ(Text("x", {}, LogLevel::kError), "2026-11-22T10:00:00.123Z ERROR x");
  EXPECT_EQ(Text("x", {}, LogLevel::kWarning), "2026-11-22T10:00:00.123Z WARN  x");
  EXPECT_EQ(Text("x", {}, LogLevel::kDebug), "2026-11-22T10:00:00.123Z DEBUG x");
}

TEST(FormatText, QuotesValuesWhoseEndCouldNotBeSeen) {
  EXPECT_EQ(
      Text("x",
           {{"a", "two words"}, {"c", "k=v"}, {"d", "say \"hi\""}, {"e", "c:\\d"}, {"f", "plain-1.2/3"}}),
      R"(2026-11-22T10:00:00.123Z INFO  x a="two words" c="k=v" d="say \"hi\"" e="c:\\d" f=plain-1.2/3)");
}

TEST(FormatText, LeavesOutFieldsWithoutAValue) {
  EXPECT_EQ(Text("x", {{"hint", ""}, {"a", "1"}}), "2026-11-22T10:00:00.123Z INFO  x a=1");
}

TEST(FormatText, CannotBeMadeToForgeALineOrSteerATerminal) {
  const std::string line = Text(
      "x\ny",
      {{"reason", "ok\n2026-11-22T10:00:01.000Z INFO  forged \x1b[31m\xe2\x80\xae"}, {"bad\nkey", "\xff"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_EQ(line.find("\xe2\x80\xae"), std::string::npos);
  EXPECT_TRUE(IsUtf8(line));
  EXPECT_THAT(line, ::testing::HasSubstr("x\\ny reason=\"ok\\n2026"));
}

TEST(FormatText, ColoursTheLevelOnly) {
  EXPECT_EQ(FormatText(kNow, LogLevel::kError, "x", {}, true),
            "2026-11-22T10:00:00.123Z \x1b[31mERROR\x1b[0m x");
}

TEST(FormatJson, IsOneObjectWithEverythingInIt) {
  EXPECT_EQ(
      Json("webhook sent", {{"endpoint", "default"}, {"status", 200}}, LogLevel::kWarning),
      R"({"time":"2026-11-22T10:00:00.123Z","level":"warn","message":"webhook sent","endpoint":"default","status":"200"})");
}

TEST(FormatJson, LeavesOutFieldsWithoutAValue) {
  EXPECT_EQ(Json("x", {{"hint", ""}, {"a", "1"}}),
            R"({"time":"2026-11-22T10:00:00.123Z","level":"info","message":"x","a":"1"})");
}

TEST(FormatJson, StaysOneLineOfValidJsonWhateverIsInIt) {
  const std::string line = Json(
      "x",
      {{"reason", "a\n\"b\"\\\xff\x1b\xe2\x80\xae zo\xc3\xab"}, {"message", "shadow"}, {"message", "again"}});
  EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < 0x7f; })) << line;
  const auto record = nlohmann::json::parse(line);
  EXPECT_EQ(record["reason"], "a\n\"b\"\\\xef\xbf\xbd\x1b\xe2\x80\xae zo\xc3\xab");
  EXPECT_EQ(record["message"], "x");
  EXPECT_EQ(record["message_"], "shadow");
  EXPECT_EQ(record["message__"], "again");
}

}  // namespace
}  // namespace tw::logging
