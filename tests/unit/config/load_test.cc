#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_test_util.h"

namespace tw::config {
namespace {

using ::testing::AllOf;
using testing::Complete;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Input;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using testing::Texts;

TEST(Load, TakesACompleteConfigurationForServe) {
  const LoadResult result = Load(Input(Complete(), Purpose::kServe));
  ASSERT_TRUE(result.settings) << result.ToError().message;
  EXPECT_THAT(result.warnings, IsEmpty());
  EXPECT_EQ(result.settings->teleport.client_key, "a.key");
  EXPECT_EQ(result.settings->http.basic_user, "u");
  EXPECT_EQ(result.settings->endpoints.size(), 1U);
  EXPECT_EQ(result.settings->endpoints[0].url.host, "r.example.com");
}

TEST(Load, NamesFileLineKeyAndRemedy) {
  const LoadResult result = Load(Input("[log]\n\nseverity = \"loud\"\n"));
  EXPECT_THAT(Texts(result.problems),
              ElementsAre(AllOf(::testing::StartsWith("t.toml:3: log.severity: unknown severity \"loud\"; "),
                                HasSubstr("DEBUG, INFO"))));
  EXPECT_EQ(result.ToError().kind, ErrorKind::kConfig);
}

TEST(Load, TellsAllProblemsAtOnceInTheOrderOfTheText) {
  const LoadResult result =
      Load(Input("[webhook]\ntimeout = 10\nconcurrency = \"many\"\nallow_http = 1\npayload = "
                 "\"evnt\"\n[log]\nsevrity = \"INFO\"\n[stat]\n"));
  EXPECT_THAT(testing::Keys(result.problems),
              ElementsAre("t.toml:2: webhook.timeout", "t.toml:3: webhook.concurrency",
                          "t.toml:4: webhook.allow_http", "t.toml:5: webhook.payload",
                          "t.toml:7: log.sevrity", "t.toml:8: stat"));
  const auto texts = Texts(result.problems);
  EXPECT_THAT(texts[0], HasSubstr("write timeout = \"10s\""));
  EXPECT_THAT(texts[1], HasSubstr("expected number, found text"));
  EXPECT_THAT(texts[3], HasSubstr("did you mean \"event\"?"));
  EXPECT_THAT(texts[4], HasSubstr("did you mean severity?"));
  EXPECT_THAT(texts[5], HasSubstr("did you mean state?"));
}

TEST(Load, GivesLineAndColumnOfASyntaxErrorAndNothingOfTheValue) {
  const LoadResult result = Load(Input("[webhook]\nsecret = whsec_CANARY\n"));
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_THAT(result.problems[0].Text(),
              AllOf(HasSubstr("t.toml:2:10: not valid TOML"), HasSubstr("quotes"), Not(HasSubstr("CANARY"))));
}

TEST(Load, SendsAKeyInTheWrongSectionToTheRightOne) {
  const LoadResult result = Load(Input("[webhook]\nlisten_addr = \":1\"\n[state]\n"));
  EXPECT_THAT(Texts(result.problems), ElementsAre(HasSubstr("listen_addr belongs into [http]")));
}

TEST(Load, SaysWhichKeysTheOriginalIgnoredAndHowToUpgrade) {
  const LoadResult result = Load(Input("[teleport]\nauth_server = \"a:1\"\nidentity_file = \"x\"\n"));
  EXPECT_THAT(
      Texts(result.problems),
      ElementsAre(AllOf(HasSubstr("teleport.identity_file: unknown key (the original ignored it silently)"),
                        HasSubstr("configure --from t.toml"))));
}

TEST(Load, DoesNotSpeakOfTheOriginalWhenTheFileIsNoneOfIts) {
  const LoadResult result = Load(Input("[webhook]\npayload = \"event\"\nfoo = 1\n"));
  EXPECT_THAT(Texts(result.problems), ElementsAre(Not(HasSubstr("original"))));
}

TEST(Load, WantsListsOfSectionsWrittenAsSuch) {
  const LoadResult result = Load(Input("[endpoint]\nname = \"a\"\n"));
  EXPECT_THAT(Texts(result.problems), ElementsAre(HasSubstr("write [[endpoint]]")));
}

TEST(Load, WorksWithoutAnyFile) {
  LoadInput input;
  input.purpose = Purpose::kTeleport;
  input.environment = {{"TELEPORT_WEBHOOKS_TELEPORT_IDENTITY", "id"},
                       {"TELEPORT_WEBHOOKS_TELEPORT_ADDR", "p:443"}};
  const LoadResult result = Load(input);
  ASSERT_TRUE(result.settings) << result.ToError().message;
  EXPECT_EQ(result.settings->teleport.identity, "id");
  EXPECT_EQ(result.settings->teleport.addr, "p:443");
}

TEST(Load, NamesTheKeyAloneWhenThereIsNoFileToName) {
  LoadInput input;
  input.purpose = Purpose::kTeleport;
  EXPECT_THAT(Texts(Load(input).problems),
              ElementsAre(StartsWith("teleport.identity: there are no credentials")));
}

TEST(Layers, FlagsBeatSetBeatsEnvironmentBeatsFile) {
  LoadInput input =
      Input("[log]\nseverity = \"ERROR\"\nformat = \"json\"\noutput = \"f\"\n[state]\ndir = \"file\"\n");
  input.environment = {{"TELEPORT_WEBHOOKS_LOG_OUTPUT", "e"},
                       {"TELEPORT_WEBHOOKS_LOG_SEVERITY", "warn"},
                       {"TELEPORT_WEBHOOKS_STATE_DIR", "env"}};
  input.set = {"log.severity=info", "state.dir=set"};
  input.flags = {{"state.dir", "flag", "--state-dir"}};
  const LoadResult result = Load(input);
  ASSERT_TRUE(result.settings) << result.ToError().message;
  EXPECT_EQ(result.settings->log.format, LogFormat::kJson);
  EXPECT_EQ(result.settings->log.output, "e");
  EXPECT_EQ(result.settings->log.severity, LogLevel::kInfo);
  EXPECT_EQ(result.settings->state.dir, "flag");
}

TEST(Layers, TheLastOfSeveralSetWordsWins) {
  LoadInput input = Input("");
  input.set = {"log.severity=info", "log.severity=error"};
  EXPECT_EQ(Load(input).settings.value().log.severity, LogLevel::kError);
}

TEST(Layers, AnEmptyVariableCountsAsNone) {
  LoadInput input = Input("[log]\nseverity = \"ERROR\"\n");
  input.environment = {{"TELEPORT_WEBHOOKS_LOG_SEVERITY", ""}};
  EXPECT_EQ(Load(input).settings.value().log.severity, LogLevel::kError);
}

TEST(Layers, EveryScalarKeyIsReadFromTheEnvironment) {
  for (const KeyInfo& info : config::Keys()) {
    if (info.environment.empty()) continue;
    LoadInput input;
    input.purpose = Purpose::kNothing;
    input.environment = {{info.environment, "\x01"}};  // wrong for every type but a path
    const LoadResult result = Load(input);
    if (info.type == "path") {
      EXPECT_TRUE(result.settings) << info.environment;
    } else {
      EXPECT_THAT(testing::Keys(result.problems), ElementsAre(info.environment + ": " + info.FullName()));
    }
  }
}

TEST(Layers, ListsComeFromTheEnvironmentAsWordsWithCommas) {
  LoadInput input = Input("[webhook]\nwebhook_url = \"https://r/\"\n", Purpose::kSend);
  input.environment = {{"TELEPORT_WEBHOOKS_WEBHOOK_REQUEST_STATES", "pending, APPROVED"}};
  EXPECT_THAT(Load(input).settings.value().endpoints[0].request_states, ElementsAre("Pending", "Approved"));
}

TEST(Layers, WarnOfAVariableWithoutMeaningButNotOfThoseOfKubernetes) {
  LoadInput input = Input("");
  input.environment = {{"TELEPORT_WEBHOOKS_LOG_SEVERTY", "x"},
                       {"TELEPORT_WEBHOOKS_CONFIG", "x"},
                       {"TELEPORT_WEBHOOKS_SERVICE_HOST", "10.0.0.1"},
                       {"TELEPORT_WEBHOOKS_PORT_8081_TCP", "x"},
                       {"TELEPORT_WEBHOOKS_PORT", "tcp://10.0.0.1"}};
  EXPECT_THAT(Texts(Load(input).warnings),
              ElementsAre(AllOf(HasSubstr("TELEPORT_WEBHOOKS_LOG_SEVERTY"),
                                HasSubstr("did you mean TELEPORT_WEBHOOKS_LOG_SEVERITY?"))));
}

TEST(Layers, SetRefusesSecretsAndNamesTheOtherWays) {
  LoadInput input = Input("");
  input.set = {"webhook.secret=CANARY"};
  const LoadResult result = Load(input);
  EXPECT_THAT(
      Texts(result.problems),
      ElementsAre(AllOf(HasSubstr("--set: webhook.secret: is a secret"), HasSubstr("webhook.secret_file"),
                        HasSubstr("TELEPORT_WEBHOOKS_WEBHOOK_SECRET"), Not(HasSubstr("CANARY")))));
  EXPECT_EQ(result.ToError().kind, ErrorKind::kUsage);
}

TEST(Layers, SetRefusesPasswordsInsideAUrl) {
  for (const char* word : {"http.public_addr=https://u:CANARY@h/", "webhook.webhook_url=https://u:CANARY@h/",
                           "teleport.proxy_url=http://u:CANARY@h/"}) {
    LoadInput input = Input("");
    input.set = {word};
    EXPECT_THAT(Texts(Load(input).problems),
                ElementsAre(AllOf(HasSubstr("holds a password"), Not(HasSubstr("CANARY")))))
        << word;
  }
}

TEST(Layers, SetTakesAUrlWithAnAtSignInItsPath) {
  LoadInput input = Input("", Purpose::kSend);
  input.set = {"webhook.webhook_url=https://r.example.com/@team"};
  EXPECT_EQ(Load(input).settings.value().endpoints.at(0).url.target, "/@team");
}

TEST(Layers, SetSuggestsTheNearestKey) {
  LoadInput input = Input("");
  input.set = {"log.severty=INFO", "nonsense", "endpoint.url=x"};
  EXPECT_THAT(Texts(Load(input).problems),
              ElementsAre(HasSubstr("did you mean log.severity?"), HasSubstr("has no value"),
                          HasSubstr("there may be several")));
}

TEST(Layers, AnIdentityOnTheCommandLineReplacesTheTripleOfTheFile) {
  LoadInput input = Input(testing::kTriple, Purpose::kTeleport);
  input.flags = {{"teleport.identity", "id", "-i"}};
  const LoadResult result = Load(input);
  ASSERT_TRUE(result.settings) << result.ToError().message;
  EXPECT_EQ(result.settings->teleport.identity, "id");
  EXPECT_EQ(result.settings->teleport.client_key, "");
}

TEST(Layers, TheTripleOfTheEnvironmentReplacesTheIdentityOfTheFile) {
  LoadInput input = Input("[teleport]\nidentity = \"id\"\n", Purpose::kTeleport);
  input.environment = {{"TELEPORT_WEBHOOKS_TELEPORT_CLIENT_KEY", "k"},
                       {"TELEPORT_WEBHOOKS_TELEPORT_CLIENT_CRT", "c"},
                       {"TELEPORT_WEBHOOKS_TELEPORT_ROOT_CAS", "r"}};
  const LoadResult result = Load(input);
  ASSERT_TRUE(result.settings) << result.ToError().message;
  EXPECT_EQ(result.settings->teleport.identity, "");
  EXPECT_EQ(result.settings->teleport.root_cas, "r");
}

TEST(Layers, TheDirectoryOfSystemdIsADefaultOnly) {
  LoadInput input = Input("");
  input.environment = {{"STATE_DIRECTORY", "/var/lib/a:/var/lib/b"}};
  EXPECT_EQ(Load(input).settings.value().state.dir, "/var/lib/a");
  input.file->text = "[state]\ndir = \"/mine\"\n";
  EXPECT_EQ(Load(input).settings.value().state.dir, "/mine");
}

TEST(Purpose, DecidesWhatMustBeThere) {
  const auto keys = [](Purpose purpose) { return testing::Keys(Load(Input("", purpose)).problems); };
  EXPECT_THAT(keys(Purpose::kNothing), IsEmpty());
  EXPECT_THAT(keys(Purpose::kTeleport), ElementsAre("t.toml: teleport.identity"));
  EXPECT_THAT(keys(Purpose::kSend), ElementsAre("t.toml: webhook.webhook_url"));
  EXPECT_THAT(keys(Purpose::kSendById),
              ElementsAre("t.toml: teleport.identity", "t.toml: webhook.webhook_url"));
  EXPECT_THAT(keys(Purpose::kServe), ElementsAre("t.toml: teleport.identity", "t.toml: webhook.webhook_url",
                                                 "t.toml: http.basic_auth"));
}

TEST(Purpose, DecidingNeedsNoReceiverAndNoSecretOfOthers) {
  testing::MemoryFiles files;
  LoadInput input =
      Input(std::string(testing::kTriple) + "[webhook]\nsecret_file = \"s\"\n", Purpose::kTeleport);
  input.files = &files;
  EXPECT_TRUE(Load(input).settings);
  EXPECT_THAT(files.opened, IsEmpty());
}

}  // namespace
}  // namespace tw::config
