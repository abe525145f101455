#include "jq/jq_program.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define TW_LEAK_CHECK 1
#endif
#endif

namespace tw::jq {
namespace {

// What libjq had in hands when an assertion of its failed cannot be freed: while one lives, that is no leak.
class KnownLoss {
 public:
  KnownLoss() {}  // not defaulted, so that no compiler calls it unused
#ifdef TW_LEAK_CHECK
 private:
  __lsan::ScopedDisabler disabled_;
#endif
};

using testing::HasSubstr;
using testing::Not;

constexpr const char* kOrigin = "teleport-webhooks.toml:12: webhook.when";

class JqProgram : public testing::Test {
 protected:
  std::unique_ptr<Program> Compile(const std::string& text) {
    auto program = compiler_->Compile(text, kOrigin);
    EXPECT_TRUE(program) << program.error().message;
    return program ? *std::move(program) : nullptr;
  }
  Error CompileError(const std::string& text) {
    const auto program = compiler_->Compile(text, kOrigin);
    EXPECT_FALSE(program) << text;
    return program ? Error{} : program.error();
  }
  std::string First(const std::string& text, std::string_view json = "{}") {
    const auto result = Compile(text)->First(json);
    EXPECT_TRUE(result) << result.error().message;
    return result ? result->value_or("nothing") : "error";
  }
  Error RunError(const std::string& text, std::string_view json = "{}") {
    const auto result = Compile(text)->First(json);
    EXPECT_FALSE(result) << text;
    return result ? Error{} : result.error();
  }

  std::shared_ptr<Compiler> compiler_ = LoadCompiler().value();
};

TEST_F(JqProgram, GivesItsFirstResultAsCompactJson) {
  EXPECT_EQ(First("{user: .data.user, n: [1, 2.5, null]}", R"({"data": {"user": "zo\u00eb"}})"),
            "{\"user\":\"zo\u00eb\",\"n\":[1,2.5,null]}");
  EXPECT_EQ(First(".a, .b", R"({"a":1,"b":2})"), "1");
  EXPECT_EQ(First("empty"), "nothing");
}

TEST_F(JqProgram, ShowsWhatAnEventMadeItSayEscaped) {
  const Error error = RunError("error(.data.user)", R"({"data": {"user": "\u001b[2J\u202e"}})");
  EXPECT_THAT(error.message, HasSubstr("jq: \\u001b[2J\\u202e"));
}

TEST_F(JqProgram, RunsManyTimes) {
  const auto program = Compile(".n + 1");
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(program->First("{\"n\":" + std::to_string(i) + "}").value(), std::to_string(i + 1));
  }
}

TEST_F(JqProgram, KnowsWhatCountsAsTrue) {
  EXPECT_FALSE(IsTruthy(std::nullopt));
  EXPECT_FALSE(IsTruthy("null"));
  EXPECT_FALSE(IsTruthy("false"));
  EXPECT_TRUE(IsTruthy("true"));
  EXPECT_TRUE(IsTruthy("0"));
  EXPECT_TRUE(IsTruthy("\"false\""));
}

TEST_F(JqProgram, ExactlyOneResultMeansOne) {
  EXPECT_EQ(Compile(".a")->Only(R"({"a":[1]})").value(), "[1]");
  const auto none = Compile("empty")->Only("{}");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("webhook.when: jq: it gave no result"));
  const auto two = Compile("1, 2")->Only("{}");
  ASSERT_FALSE(two);
  EXPECT_THAT(two.error().message, HasSubstr("more than one result"));
}

TEST_F(JqProgram, CompileErrorsNameOriginAndLineAndNotThePrelude) {
  const Error error = CompileError(".a |\n|");
  EXPECT_EQ(error.kind, ErrorKind::kConfig);
  EXPECT_THAT(error.message, HasSubstr("teleport-webhooks.toml:12: webhook.when: not a jq program: "));
  EXPECT_THAT(error.message, HasSubstr("line 2"));
  EXPECT_THAT(error.message, Not(HasSubstr("_tw_indices")));
  EXPECT_THAT(CompileError("frobnicate(1)").message, HasSubstr("frobnicate/1 is not defined"));
  EXPECT_THAT(CompileError("  \n").message, HasSubstr("it is empty"));
  EXPECT_THAT(CompileError(std::string(".a\0.b", 5)).message, HasSubstr("zero byte"));
}

TEST_F(JqProgram, RunErrorsNameTheOriginAndTheProgramStaysUsable) {
  const auto program = Compile(".a.b");
  const auto failed = program->First(R"({"a":1})");
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr(std::string(kOrigin) + ": jq: Cannot index number with"));
  EXPECT_EQ(program->First(R"({"a":{"b":2}})").value(), "2");
  EXPECT_THAT(RunError("error({code: 1})").message, HasSubstr("{\"code\":1}"));
  EXPECT_THAT(RunError(".", "{not json").message, HasSubstr("input is not JSON"));
}

TEST_F(JqProgram, AnErrorAfterTheFirstResultDoesNotMatterForAFilter) {
  EXPECT_EQ(First("true, error(\"late\")"), "true");
}

TEST_F(JqProgram, StopsEndlessPrograms) {
  const auto program = Compile("if .loop then last(repeat(1)) else \"fine\" end");
  const auto stopped = program->First(R"({"loop":true})");
  ASSERT_FALSE(stopped);
  EXPECT_THAT(stopped.error().message, HasSubstr("stopped after 200 ms"));
  EXPECT_EQ(program->First("{}").value(), "\"fine\"");
  EXPECT_THAT(RunError("[range(1e12)]").message, HasSubstr("stopped"));
  EXPECT_THAT(RunError("def f: f; f").message, HasSubstr("stopped"));
}

TEST_F(JqProgram, SeesNoEnvironment) {
  ASSERT_EQ(setenv("TW_JQ_CANARY", "secret", 1), 0);
  EXPECT_EQ(First("[$ENV, env, $ENV.TW_JQ_CANARY, env.TW_JQ_CANARY]"), "[{},{},null,null]");
}

TEST_F(JqProgram, LoadsNoLibrariesAndDoesNotAbortOnThem) {
  CompileError("include \"x\"; .");
  CompileError("import \"x\" as x; .");
  CompileError("import \"x\" as $x; .");
  EXPECT_THAT(RunError("\"x\" | modulemeta").message, HasSubstr("not found"));
  EXPECT_EQ(First("get_search_list"), "[]");
}

TEST(JqCompiler, ReadsNoFileOfTheHomeDirectory) {
  const auto home = std::filesystem::temp_directory_path() / ("tw-jq-home-" + std::to_string(::getpid()));
  std::filesystem::create_directories(home);
  std::ofstream(home / ".jq") << "def from_home: 42; def length: 42;\n";
  ASSERT_EQ(setenv("HOME", home.c_str(), 1), 0);
  const auto compiler = LoadCompiler().value();
  EXPECT_FALSE(compiler->Compile("from_home", kOrigin));
  EXPECT_EQ((*compiler->Compile("[] | length", kOrigin))->First("{}").value(), "0");
  std::filesystem::remove_all(home);
}

TEST_F(JqProgram, WhatWasCheckedIsNotCompiledAgain) {
  const auto cost = [&](auto&& work) {
    const std::clock_t began = std::clock();
    work();
    return std::clock() - began;
  };
  const auto check = cost([&] { ASSERT_TRUE(compiler_->Check(".n + 40")); });
  std::unique_ptr<Program> program;
  const auto compile = cost([&] { program = Compile(".n + 40"); });
  EXPECT_LT(compile, check / 4);
  EXPECT_EQ(program->First("{\"n\":2}").value(), "42");
  // One check makes one program; programs share nothing.
  EXPECT_EQ(Compile(".n + 40")->First("{\"n\":3}").value(), "43");
  EXPECT_THAT(compiler_->Check("|").error().message, HasSubstr("not a jq program: "));
  EXPECT_THAT(compiler_->Check(" ").error().message, HasSubstr("it is empty"));
}

TEST_F(JqProgram, CannotEndOrStallTheProcess) {
  EXPECT_THAT(RunError("halt").message, HasSubstr("not available"));
  EXPECT_THAT(RunError("halt_error").message, HasSubstr("not available"));
  EXPECT_THAT(RunError("halt_error(3)").message, HasSubstr("not available"));
  EXPECT_EQ(First("\"abc\" | indices(\"\"), index(\"\")"), "null");
  EXPECT_EQ(First("[\"a,b,c\" | indices(\",\"), index(\",\"), rindex(\",\")]"), "[[1,3],1,3]");
  EXPECT_EQ(First("[[1,2,1] | indices(1), index(1), rindex(1)]"), "[[0,2],0,2]");
  EXPECT_EQ(First("[[1,2,1,2,3] | indices([1,2]), index([2,3]), indices([[1]]), index(7)]"),
            "[[0,2],3,[],null]");
  EXPECT_EQ(First("[[[1],2] | indices([[1]])]"), "[[0]]");
  EXPECT_THAT(RunError("input").message, HasSubstr("jq: "));
  EXPECT_EQ(First("[inputs]"), "[]");
}

// libjq 1.6 fails an assertion in these, which ended the process.
TEST_F(JqProgram, SurvivesARunThatEndsWhileAPathHasMoreToGive) {
  const auto program = Compile("path(..)");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(program->First("{\"a\":1}").value(), "[]");
    EXPECT_THAT(program->Only("{\"a\":1}").error().message, HasSubstr("more than one"));
  }
  EXPECT_EQ(program->Only("1").value(), "[]");
}

TEST_F(JqProgram, RunsOnAfterAStopInTheMiddleOfAnUpdate) {
  const KnownLoss loss;
  const auto program = Compile("if .loop then (reduce path(..) as $p (.; last(repeat(1)))) else .n end");
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(program->First("{\"loop\":true,\"a\":[1,2]}").error().message, HasSubstr("does it loop"));
    EXPECT_EQ(program->First("{\"n\":7}").value(), "7");
  }
}

TEST_F(JqProgram, AFailedAssertionInsideLibjqIsAnErrorOfTheProgram) {
  const KnownLoss loss;
  const auto program = Compile("if .n == 1 then 1e18 | todate else .n end");
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(program->First("{\"n\":1}").error().message, HasSubstr("internal error of libjq"));
    EXPECT_EQ(program->First("{\"n\":2}").value(), "2");
  }
}

TEST_F(JqProgram, WhatComesAfterTheFirstResultDoesNotSpoilIt) {
  EXPECT_EQ(First("1, error(\"x\")"), "1");
  EXPECT_EQ(First("1, last(repeat(1))"), "1");
  EXPECT_THAT(Compile("1, error(\"x\")")->Only("{}").error().message, HasSubstr("jq: x"));
}

TEST_F(JqProgram, WritesNothingToStandardError) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(First("\"x\" | stderr | debug"), "\"x\"");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(JqProgram, ProgramsOfSeveralThreadsRunSideBySideAndOutliveTheCompiler) {
  std::vector<std::unique_ptr<Program>> programs;
  for (int i = 0; i < 3; ++i) programs.push_back(Compile("if .n == 0 then last(repeat(1)) else .n end"));
  compiler_.reset();
  std::vector<int> right(3);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        for (int n = 0; n < 50; ++n) {
          const auto result = programs[t]->First("{\"n\":" + std::to_string(n) + "}");
          right[t] += n == 0 ? !result : result && *result == std::to_string(n);
        }
      });
    }
  }
  EXPECT_THAT(right, testing::Each(50));
}

}  // namespace
}  // namespace tw::jq
