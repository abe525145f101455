// What people write wrong: each mistake is told once, where it is, and drags nothing else along.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_test_util.h"

namespace tw::config {
namespace {

using ::testing::AllOf;
using testing::Complete;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Input;
using ::testing::IsEmpty;
using testing::Keys;
using testing::Texts;

std::vector<std::string> Served(const std::string& text) {
  return Texts(Load(Input(text, Purpose::kServe)).problems);
}

TEST(Mistakes, OfTheSyntaxAreToldAlone) {
  EXPECT_THAT(Served("[teleport]\naddr = localhost:3025\n"),
              ElementsAre(AllOf(HasSubstr("t.toml:2:"), HasSubstr("text stands in quotes"))));
  EXPECT_THAT(Served("[teleport]\naddr = \"a:1\"\naddr = \"b:1\"\n"),
              ElementsAre(AllOf(HasSubstr("t.toml:3:"), HasSubstr("redefine existing string 'addr'"))));
  EXPECT_THAT(Served("[teleport]\naddr = \"a:1\nroute = \"auto\"\n"),
              ElementsAre(HasSubstr("is the quote missing that ends the text?")));
  for (const int parts : {1'001, 100'000}) {  // the library would run out of stack
    std::string deep = "[log]\n[a";
    for (int i = 1; i < parts; ++i) deep += ".a";
    EXPECT_THAT(Served(deep + "]\n"),
                ElementsAre(AllOf(HasSubstr("t.toml:2:"), HasSubstr("more than 1000 parts"))));
  }
}

TEST(Mistakes, InTheSyntaxHideNoneOfTheEnvironmentAndTheCommandLine) {
  LoadInput input = Input("[teleport", Purpose::kServe);
  input.environment["TELEPORT_WEBHOOKS_WEBHOOK_TIMEOUT"] = "soon";
  input.set = {"log.severity=loud"};
  EXPECT_THAT(Keys(Load(input).problems),
              ElementsAre(HasSubstr("t.toml:1:"), HasSubstr("webhook.timeout"), HasSubstr("log.severity")));
}

TEST(Mistakes, InTheNameOfASectionAreNotAlsoItsAbsence) {
  EXPECT_THAT(Served("[telport]\nidentity = \"i\"\n[webhok]\nwebhook_url = \"https://r/\"\n[htp]\n"
                     "bearer_token = \"x\"\n"),
              ElementsAre(HasSubstr("telport: unknown section or key (the original ignored it silently); did "
                                    "you mean teleport?"),
                          HasSubstr("did you mean webhook?"), HasSubstr("did you mean http?")));
  EXPECT_THAT(Served(std::string(testing::kTriple) +
                     "[[endpoints]]\nname = \"a\"\nurl = \"https://r/\"\n[[caller]]\nname = \"b\"\n"),
              ElementsAre(HasSubstr("endpoints: "), HasSubstr("caller: unknown section or key; did you mean "
                                                              "callback.caller?")));
  EXPECT_THAT(Served(std::string(testing::kTriple) + "[endpoint]\nurl = \"https://r/\"\n[callback]\n"
                                                     "callers = []\n"),
              ElementsAre(HasSubstr("write [[endpoint]]"), HasSubstr("did you mean [[callback.caller]]?")));
}

TEST(Mistakes, InTheNameOfAKeyAreNotAlsoItsAbsence) {
  EXPECT_THAT(Served("[teleport]\nidentiti = \"i\"\n[webhook]\npayload = \"event\"\nwebhok_url = "
                     "\"https://r/\"\ncallback_secret_fil = \"s\"\n"),
              ElementsAre(HasSubstr("did you mean identity?"), HasSubstr("did you mean webhook_url?"),
                          HasSubstr("did you mean callback_secret_file?")));
  EXPECT_THAT(Served(Complete("[[callback.caller]]\nname = \"a\"\nbearer_tokn = \"x\"\n")),
              ElementsAre(HasSubstr("did you mean bearer_token?")));
  EXPECT_THAT(Served(Complete("[[endpoint]]\nname = \"a\"\nwebhook_url = \"https://r/\"\n")),
              ElementsAre(HasSubstr("did you mean url?")));
}

TEST(Mistakes, OfTheSectionNameTheOneWhereTheKeyBelongs) {
  EXPECT_THAT(Served("webhook_url = \"https://r/\"\n" + std::string(testing::kTriple) +
                     "notify_only = true\npayload = \"event\"\n"),
              ElementsAre(HasSubstr("webhook_url belongs into [webhook]"),
                          HasSubstr("notify_only belongs into [webhook]"),
                          HasSubstr("payload belongs into [webhook]"), HasSubstr("http.basic_auth")));
  EXPECT_THAT(Served(Complete("[teleport2]\n")), ElementsAre(HasSubstr("did you mean teleport?")));
  EXPECT_THAT(Served(Complete("[callback]\ndelegator = \"auth\"\ntimeout = \"5s\"\n")),
              ElementsAre(HasSubstr("timeout belongs into [webhook]")));
}

TEST(Mistakes, OfAGroupOfKeysAskForItsKeys) {
  EXPECT_THAT(Served(Complete("[[endpoint]]\nname = \"a\"\nurl = \"https://r/\"\nretry = 5\n")),
              ElementsAre(HasSubstr("endpoint.a.retry: must be a table, not a whole number; write its keys "
                                    "one by one, e.g. retry.initial")));
}

TEST(Mistakes, OfAPathToASecretAreTold) {
  EXPECT_THAT(Served(Complete("[[endpoint]]\nname = \"a\"\nurl = \"https://r/\"\nsecret_file = \"\"\n"
                              "old_secrets_file = 5\n")),
              ElementsAre(HasSubstr("endpoint.a.secret_file: is empty"),
                          HasSubstr("old_secrets_file: expected path, found a whole number; write "
                                    "old_secrets_file = \"...\"")));
  LoadInput input = Input(Complete(), Purpose::kServe);
  input.set = {"webhook.headers_file="};
  EXPECT_THAT(Texts(Load(input).problems), ElementsAre(HasSubstr("webhook.headers_file: is empty")));
}

TEST(Mistakes, AnEmptyTextIsNeitherTrueNorFalseNorAListOfStates) {
  EXPECT_THAT(Served(std::string(testing::kTriple) +
                     "[webhook]\nwebhook_url = \"https://r/\"\nnotify_only = \"\"\nrequest_states = \"\"\n"
                     "[http.basic_auth]\nuser = \"u\"\npassword = \"p\"\n"),
              ElementsAre(HasSubstr("notify_only: expected true or false, found text"),
                          HasSubstr("request_states: expected list of text")));
}

// An empty list of roles reads like "none", and would be taken as "all".
TEST(Mistakes, AListThatWouldMeanAllMayNotBeEmpty) {
  const std::string text = Complete(
      "[http.tls]\nclient_ca_file = \"ca\"\nallowed_names = []\n[callback]\nroles = []\nusers = []\n"
      "[[callback.caller]]\nname = \"a\"\nbearer_token = \"0123456789abcdef\"\ndecisions = []\nroles = []\n"
      "users = []\n[[endpoint]]\nname = \"e\"\nurl = \"https://r/\"\nevents = []\n");
  const auto problems = Served(text);
  EXPECT_EQ(problems.size(), 7U);
  for (const std::string& problem : problems) EXPECT_THAT(problem, HasSubstr(": is an empty list; "));
  LoadInput input = Input(Complete(), Purpose::kServe);
  input.set = {"callback.roles=", "http.trusted_proxies="};
  EXPECT_THAT(Keys(Load(input).problems), ElementsAre("--set: callback.roles"));
}

TEST(Mistakes, InACredentialThatAFlagReplacesDoNotClashWithTheFlag) {
  LoadInput input = Input("[teleport]\nclient_key = 5\n", Purpose::kTeleport);
  input.flags.push_back({"teleport.identity", "i", "--identity"});
  EXPECT_THAT(Keys(Load(input).problems), ElementsAre("t.toml:2: teleport.client_key"));
}

TEST(Mistakes, InANameOfTheEnvironmentAreToldAlsoWhenSomethingIsMissing) {
  LoadInput input = Input("", Purpose::kTeleport);
  input.environment["TELEPORT_WEBHOOKS_TELEPORT_IDENTITI"] = "i";
  const LoadResult result = Load(input);
  EXPECT_EQ(result.problems.size(), 1U);
  EXPECT_THAT(Texts(result.warnings),
              ElementsAre(HasSubstr("did you mean TELEPORT_WEBHOOKS_TELEPORT_IDENTITY?")));
}

TEST(Mistakes, InNamesOfStatesThatTheOriginalIgnoredPointToTheUpgrade) {
  EXPECT_THAT(Served(std::string(testing::kTriple) +
                     "[webhook]\nwebhook_url = \"https://r/\"\nrequest_statuses = { Pendng = true }\n"
                     "[http.basic_auth]\nuser = \"u\"\npassword = \"p\"\n"),
              ElementsAre(AllOf(HasSubstr("did you mean \"Pending\"?"), HasSubstr("the original ignored"),
                                HasSubstr("configure --from t.toml"))));
}

TEST(Mistakes, InProgramsOfAllEndpointsAreToldTogetherAndBeforeFilesAreOpened) {
  testing::MemoryFiles files;
  LoadInput input =
      Input(std::string(testing::kTriple) +
                "[webhook]\nwebhook_url = \"https://r/\"\nsecret_file = \"gone\"\nwhen = \"bad\"\n"
                "transform = \"good\"\n[http.basic_auth]\nuser = \"u\"\npassword = \"p\"\n"
                "[[endpoint]]\nname = \"e\"\nurl = \"https://r/\"\ntransform = \"bad\"\n",
            Purpose::kServe);
  input.files = &files;
  input.file_check = FileCheck::kAll;
  input.check_program = [](const std::string& program) {
    return program == "good" ? Status() : Status(Error::Config("not a jq program"));
  };
  const LoadResult result = Load(input);
  EXPECT_THAT(Texts(result.problems), ElementsAre("t.toml:8: webhook.when: not a jq program",
                                                  "t.toml:16: endpoint.e.transform: not a jq program"));
  EXPECT_EQ(result.ToError().kind, ErrorKind::kConfig);
  EXPECT_THAT(files.opened, IsEmpty());
}

}  // namespace
}  // namespace tw::config
