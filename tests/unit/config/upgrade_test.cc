#include "config/upgrade.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "config_test_util.h"

namespace tw::config {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Input;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Texts;

Upgrade Up(const std::string& text) {
  auto upgrade = UpgradeConfig({"old.toml", text, std::nullopt});
  EXPECT_TRUE(upgrade) << upgrade.error().message;
  return upgrade ? *upgrade : Upgrade{};
}

LoadResult LoadBack(const Upgrade& upgrade, Purpose purpose = Purpose::kNothing) {
  return Load(Input(upgrade.text, purpose));
}

const std::string kTeleport =
    "[teleport]\nauth_server = \"example.com:3025\" # where\nclient_key = \"k\"\nclient_crt = "
    "\"c\"\nroot_cas = \"r\"\n";

TEST(Upgrade, RenamesKeysAndKeepsCommentsOrderAndSecrets) {
  const Upgrade upgrade =
      Up(kTeleport +
         "\n# mine\n[webhook]\nwebhook_url = \"https://u:S3CRET@r/\"\nrequest_statuses = { \"Pending\" = "
         "true }\n[http.basic_auth]\nuser = \"u\"\npassword = \"S3CRET2\"\n");
  EXPECT_THAT(
      upgrade.text,
      AllOf(HasSubstr("addr = \"example.com:3025\" # where\n"), HasSubstr("# mine\n[webhook]\n"),
            HasSubstr("request_states = [\"Pending\"]\n"), HasSubstr("S3CRET@"), HasSubstr("\"S3CRET2\"")));
  EXPECT_THAT(upgrade.notes,
              ElementsAre(HasSubstr("line 2: teleport.auth_server is called addr"),
                          HasSubstr("line 10: webhook.request_statuses is called request_states"),
                          HasSubstr("line 10: webhook.request_statuses is a list now")));
  EXPECT_THAT(upgrade.todo, IsEmpty());
  const LoadResult result = LoadBack(upgrade, Purpose::kServe);
  EXPECT_THAT(Texts(result.problems), IsEmpty());
  EXPECT_THAT(Texts(result.warnings), IsEmpty());
}

TEST(Upgrade, OfTheOriginalExampleLeavesOnlyTheAuthenticationToDo) {
  const Upgrade upgrade =
      Up(kTeleport +
         "[webhook]\nwebhook_url = \"https://mywebhook.com/ppst\"\nnotify_only = false\nrequest_states = { "
         "\"Pending\" = true, \"Approved\" = false, \"Denied\" = false } # c\n"
         "callback_secret = \"secret string to sign callback payloads with\"\n[http]\npublic_addr = "
         "\"example.com\"\n[log]\noutput = \"stderr\"\nseverity = \"INFO\"\n");
  EXPECT_THAT(upgrade.text,
              HasSubstr("\n# callback_secret = \"secret string to sign callback payloads with\"\n"));
  EXPECT_THAT(upgrade.notes, Contains(HasSubstr("it takes effect now")));
  EXPECT_THAT(upgrade.todo, ElementsAre(HasSubstr("http.basic_auth")));
  const LoadResult result = LoadBack(upgrade);
  ASSERT_TRUE(result.settings) << result.ToError().message;
  EXPECT_THAT(Texts(result.warnings), IsEmpty());
}

TEST(Upgrade, TakesTheSpellingsOfTheGoDecoderAway) {
  const Upgrade upgrade =
      Up("[TELEPORT]\nAUTH_SERVER = \"a:1\"\nCLIENT_KEY = \"k\"\nclient_crt = \"c\"\nroot_cas = "
         "\"r\"\n[WEBHOOK]\nWEBHOOK_URL = \"https://r/\"\n[HTTP]\nLISTEN_ADDR = "
         "\":1\"\n[HTTP.BASIC_AUTH]\nUSER = \"u\"\nPASSWORD = \"p\"\n");
  EXPECT_THAT(upgrade.text, AllOf(HasSubstr("[teleport]\naddr = \"a:1\"\nclient_key = \"k\"\n"),
                                  HasSubstr("[http.basic_auth]\nuser = \"u\"\npassword = \"p\"\n"),
                                  HasSubstr("[http]\nlisten_addr")));
  const LoadResult result = LoadBack(upgrade, Purpose::kServe);
  EXPECT_THAT(Texts(result.problems), IsEmpty());
}

TEST(Upgrade, CommentsOutWhatTheOriginalIgnoredAndSaysSo) {
  const Upgrade upgrade = Up(
      kTeleport +
      "timeout = \"5s\"\n[webhook]\nwebhook_url = \"https://r/\"\nnotify_only = true\n[http]\ninsecure = "
      "true\n[slack]\ntoken = \"\"\"a\nb\"\"\"\n[slack.more]\nx = [\n 1,\n 2,\n]\n[log]\noutput = \"out\"\n");
  EXPECT_THAT(upgrade.text, AllOf(HasSubstr("\n# timeout = \"5s\"\n"), HasSubstr("\n# insecure = true\n"),
                                  HasSubstr("\n# [slack]\n# token = \"\"\"a\n# b\"\"\"\n# [slack.more]\n# x "
                                            "= [\n#  1,\n#  2,\n# ]\n[log]\n")));
  EXPECT_THAT(upgrade.notes, AllOf(Contains(HasSubstr("line 6: teleport.timeout is commented out")),
                                   Contains(HasSubstr("http.insecure is commented out")),
                                   Contains(HasSubstr("slack is commented out"))));
  EXPECT_THAT(upgrade.todo, IsEmpty());
  EXPECT_TRUE(LoadBack(upgrade, Purpose::kServe).settings);
}

TEST(Upgrade, KeepsWhatTheOriginalReadWhenBothSpellingsAreThere) {
  const Upgrade upgrade = Up(kTeleport +
                             "[webhook]\nrequest_states = { Approved = true }\nrequest_statuses = { Denied = "
                             "true }\nwebhook_url = \"https://r/\"\n");
  const LoadResult result = LoadBack(upgrade, Purpose::kSend);
  ASSERT_TRUE(result.settings) << result.ToError().message;
  EXPECT_THAT(result.settings->endpoints.at(0).request_states, ElementsAre("Denied"));
}

TEST(Upgrade, LeavesOutStatesThatNeverWere) {
  const Upgrade upgrade = Up(kTeleport +
                             "[webhook]\nwebhook_url = \"https://r/\"\nrequest_statuses = { Pending = true, "
                             "Bogus = true } # keep\n");
  EXPECT_THAT(upgrade.text, HasSubstr("request_states = [\"Pending\"] # keep\n"));
  EXPECT_THAT(upgrade.notes, Contains(HasSubstr("left out: Bogus")));
  const Upgrade table = Up(kTeleport + "[webhook.request_statuses]\nPending = true\nBogus = true\n");
  EXPECT_THAT(table.text,
              HasSubstr("[webhook.request_states]\nPending = true\n# No such state.\n# Bogus = true\n"));
  EXPECT_TRUE(LoadBack(table).settings);
}

TEST(Upgrade, WritesTheDefaultsOfTheThreeFilesOut) {
  const Upgrade some = Up("[teleport]\nclient_key = \"mine\"\nclient_crt = \"\"\n");
  EXPECT_THAT(
      some.text,
      HasSubstr("[teleport]\nroot_cas = \"cas.pem\"\nclient_key = \"mine\"\nclient_crt = \"client.pem\"\n"));
  const Upgrade none = Up("[webhook]\nwebhook_url = \"https://r/\"");
  EXPECT_THAT(none.text, HasSubstr("[webhook]\nwebhook_url = \"https://r/\"\n\n[teleport]\nclient_key = "
                                   "\"client.key\"\nclient_crt = \"client.pem\"\nroot_cas = \"cas.pem\"\n"));
  EXPECT_TRUE(LoadBack(none, Purpose::kTeleport).settings);
}

TEST(Upgrade, LeavesAFileOfTodayAlone) {
  const std::string text = testing::Complete(
      "[callback]\ndelegator = \"auth\"\n[[callback.caller]]\nname = \"a\"\nbearer_token_file = \"t\"\n");
  const Upgrade upgrade = Up(text);
  EXPECT_EQ(upgrade.text, text);
  EXPECT_THAT(upgrade.notes, IsEmpty());
  EXPECT_THAT(upgrade.todo, IsEmpty());
}

TEST(Upgrade, SaysWhatOnlyAPersonCanDecide) {
  const Upgrade upgrade =
      Up(kTeleport +
         "[webhook]\nwebhook_url = \"http://r.example.com/\"\n[http.tls]\nverify_client_cert = true\n");
  EXPECT_THAT(upgrade.todo, ElementsAre(HasSubstr("allow_http"), HasSubstr("needs tls.client_ca_file")));
}

TEST(Upgrade, WorksOnInlineAndDottedForms) {
  const Upgrade upgrade =
      Up("teleport.auth_server = \"ä:1\"\nwebhook = { webhook_url = \"https://r/\", request_statuses = { "
         "Pending = true } }\n");
  EXPECT_THAT(upgrade.text,
              AllOf(HasSubstr("teleport.addr = \"ä:1\"\n"),
                    HasSubstr("{ webhook_url = \"https://r/\", request_states = [\"Pending\"] }")));
}

TEST(Upgrade, OfWhatWasUpgradedChangesNothing) {
  for (const std::string& text :
       {kTeleport + "[webhook]\nrequest_states = { pending = true }\ntimeot = 1\n",
        std::string("[TELEPORT]\n[webhook.request_statuses]\npending = true\nX = true\n"),
        std::string("teleport = {}\nhttp = { insecure = true, x = 1 }\n"), std::string("[http]\n[HTTP]\n"),
        std::string("[teleport.x]\ny = 1\n"), std::string("teleport.x = 1\n"),
        std::string("teleport.proxy_url_file = \"p\"\n"), std::string("x.y = 1")}) {
    const Upgrade once = Up(text);
    const Upgrade twice = Up(once.text);
    EXPECT_EQ(twice.text, once.text);
    EXPECT_THAT(twice.notes, IsEmpty());
  }
}

TEST(Upgrade, LeavesWhatStandsInsideAnInlineTableToAPerson) {
  const Upgrade upgrade = Up(kTeleport +
                             "[webhook]\nwebhook_url = \"https://r/\"\n[http]\nbasic_auth = { user = \"u\", "
                             "password = \"p\", realm = \"r\" }\n");
  EXPECT_THAT(upgrade.text, HasSubstr("realm = \"r\""));
  EXPECT_THAT(upgrade.todo, ElementsAre(HasSubstr("http.basic_auth.realm: unknown key")));
}

// What is left of an unknown section would belong to the section above it.
TEST(Upgrade, CommentsOutAllOfAnUnknownSectionHoweverDeep) {
  const std::string unknown =
      "[slack]\ntoken = \"x\"\nlist = [\n { a = 1 },\n]\n[[slack.rooms]]\nname = \"a\"\n[slack.rooms.more]\n"
      "listen_addr = \":1\"\n[[slack.rooms]]\n[[slack.rooms.deep]]\nb.c = 1\nb.d = [1,\n2]\n";
  std::string commented;
  for (const std::string_view line : Split(unknown, '\n'))
    commented += line.empty() ? "" : "# " + std::string(line) + "\n";
  const Upgrade upgrade = Up(kTeleport + "[http]\n" + unknown + "[log]\noutput = \"out\"\n");
  EXPECT_THAT(upgrade.text, HasSubstr(commented + "[log]\n"));
  EXPECT_EQ(Up(upgrade.text).text, upgrade.text);
}

TEST(Upgrade, TakesAByteOrderMarkAway) {
  const Upgrade upgrade = Up("\xef\xbb\xbf" + kTeleport + "[webhook]\nwebhook_url = \"https://r/\"\n");
  EXPECT_THAT(upgrade.text,
              AllOf(HasSubstr("\n[teleport]\naddr = \"example.com:3025\""), Not(HasSubstr("\xef"))));
}

TEST(Upgrade, SaysWhenItHadToLeaveAFileAsItWas) {
  const std::string text =
      kTeleport + "[webhook]\nwebhook_url = \"https://r/\"\n[WEBHOOK]\nnotify_only = true\n";
  const Upgrade upgrade = Up(text);
  EXPECT_EQ(upgrade.text, text);
  EXPECT_THAT(upgrade.todo, Contains(HasSubstr("two spellings that mean the same")));
}

TEST(Upgrade, RenamesADottedKeyOnEachOfItsLines) {
  const Upgrade upgrade =
      Up(kTeleport +
         "[webhook]\nwebhook_url = \"https://r/\"\nnotify_only = true\nrequest_statuses.Pending = true\n"
         "request_statuses.Denied = true\nrequest_statuses.Gone = true\n");
  EXPECT_THAT(upgrade.text,
              HasSubstr("\nrequest_states.Pending = true\nrequest_states.Denied = true\n# No such "
                        "state.\n# request_statuses.Gone = true\n"));
  const LoadResult result = LoadBack(upgrade, Purpose::kServe);
  ASSERT_TRUE(result.settings) << result.ToError().message;
  EXPECT_THAT(result.settings->endpoints.at(0).request_states, ElementsAre("Pending", "Denied"));
  const Upgrade loud =
      Up(kTeleport + "[webhook]\nREQUEST_STATUSES.Pending = true\nREQUEST_STATUSES.Denied = true\n");
  EXPECT_THAT(loud.text, HasSubstr("request_states.Pending = true\nrequest_states.Denied = true\n"));
  const Upgrade same =
      Up(kTeleport + "[webhook]\nREQUEST_STATES.Pending = true\nREQUEST_STATES.Denied = true\n");
  EXPECT_THAT(same.text, HasSubstr("request_states.Pending = true\nrequest_states.Denied = true\n"));
  const Upgrade top =
      Up("webhook.request_statuses.Pending = true\nwebhook.request_statuses.Denied = false\n");
  EXPECT_THAT(top.text,
              HasSubstr("webhook.request_states.Pending = true\nwebhook.request_states.Denied = false\n"));
  EXPECT_EQ(Up(top.text).text, top.text);
}

TEST(Upgrade, SaysThatATableOfStatesTakesEffectNow) {
  const std::string table =
      "[webhook]\nwebhook_url = \"https://r/\"\n[webhook.request_states]\nApproved = true\n";
  const Upgrade upgrade = Up(kTeleport + table);
  EXPECT_THAT(upgrade.notes, Contains(HasSubstr("line 8: it takes effect now")));
  EXPECT_THAT(Up(upgrade.text).notes, IsEmpty());
}

TEST(Upgrade, ShownToAPersonHoldsNoSecretAndIsNoConfiguration) {
  const Upgrade upgrade =
      Up(kTeleport +
         "[slack]\ntoken = \"CANARY\"\ntext = '''\nCANARY\n'''\n[webhook]\n"
         "webhook_url = \"https://r.example.com/CANARY\"\ncallback_secret = \"CANARY\" # mine\n"
         "bearer_token = \"CANARY\"\nproxy_url = \"http://u:CANARY@proxy:1\"\n[webhook.headers]\nX-A = "
         "\"CANARY\"\n"
         "[http]\npublic_addr = \"https://u:CANARY@h/\"\nbearer_token = \"\"\"\nCANARY\"\"\"\n[[endpoint]]\n"
         "name = \"e\"\nurl = \"https://open.example.com/\"\nold_secrets = [\n \"CANARY\",\n \"CANARY\"\n]\n"
         "headers = { X-B = \"CANARY\" }\n[[callback.caller]]\nname = \"c\"\nhmac_secret = \"CANARY\"\n");
  EXPECT_THAT(upgrade.text, HasSubstr("bearer_token = \"CANARY\"\n"));
  EXPECT_THAT(upgrade.shown,
              AllOf(Not(HasSubstr("CANARY")), HasSubstr("webhook_url = ***\n"), HasSubstr("# token = ***\n"),
                    HasSubstr("# callback_secret = ***\n"), HasSubstr("X-A = ***\n"),
                    HasSubstr("url = \"https://open.example.com/\"\n"), HasSubstr("headers = ***\n"),
                    HasSubstr("addr = \"example.com:3025\" # where\n")));
  EXPECT_FALSE(Load(Input(upgrade.shown)).settings);
}

TEST(Upgrade, RefusesWhatIsNotToml) {
  const auto upgrade = UpgradeConfig({"old.toml", "[teleport\nsecret = CANARY", std::nullopt});
  ASSERT_FALSE(upgrade);
  EXPECT_EQ(upgrade.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(upgrade.error().message, AllOf(HasSubstr("old.toml:1:"), Not(HasSubstr("CANARY"))));
}

TEST(Upgrade, NeverShowsASecretInItsNotes) {
  const Upgrade upgrade =
      Up(kTeleport +
         "[webhook]\nwebhook_url = \"http://u:CANARY@r.example.com/CANARY\"\ncallback_secret = "
         "\"CANARY\"\nsecret = \"CANARY\"\n[other]\npassword = \"CANARY\"\n");
  for (const auto& list : {upgrade.notes, upgrade.todo}) {
    for (const std::string& line : list) EXPECT_THAT(line, Not(HasSubstr("CANARY")));
  }
}

}  // namespace
}  // namespace tw::config
