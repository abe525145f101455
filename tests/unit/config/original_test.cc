// Files that were written for the original program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_test_util.h"

namespace tw::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Input;
using ::testing::IsEmpty;
using testing::Texts;

// The keys and values that the original's `configure` printed (original-plugin.md A.7, D3, D6); its comments
// differ.
const std::string kExample = R"(# example
[teleport]
auth_server = "example.com:3025"
client_key = "/var/lib/teleport/plugins/webhooks/auth.key"
client_crt = "/var/lib/teleport/plugins/webhooks/auth.crt"
root_cas = "/var/lib/teleport/plugins/webhooks/auth.cas"

[webhook]
webhook_url = "https://mywebhook.com/ppst"
notify_only = false
request_states = { "Pending" = true, "Approved" = false, "Denied" = false }
callback_secret = "secret string to sign callback payloads with"

[http]
public_addr = "example.com"
# listen_addr = ":8081"
https_key_file = "/var/lib/teleport/webproxy_key.pem"
https_cert_file = "/var/lib/teleport/webproxy_cert.pem"

[log]
output = "stderr"
severity = "INFO"
)";

TEST(OriginalExample, HasExactlyOneComplaintTheMissingAuthentication) {
  const LoadResult result = Load(Input(kExample, Purpose::kServe));
  ASSERT_EQ(result.problems.size(), 1U) << result.ToError().message;
  EXPECT_EQ(result.problems[0].key, "http.basic_auth");
  EXPECT_THAT(result.problems[0].Text(), AllOf(HasSubstr("t.toml:14: http.basic_auth: "),
                                               HasSubstr("no authentication"), HasSubstr("[http.basic_auth]"),
                                               HasSubstr("webhook.callback_secret is not a webhook secret")));
  EXPECT_EQ(result.ToError().kind, ErrorKind::kConfig);
  EXPECT_THAT(result.warnings, IsEmpty());
}

TEST(OriginalExample, LoadsWithAuthenticationAndThenNamesEveryMissingFile) {
  const std::string text = kExample + "[http.basic_auth]\nuser = \"u\"\npassword = \"p\"\n";
  const LoadResult result = Load(Input(text, Purpose::kServe));
  ASSERT_TRUE(result.settings) << result.ToError().message;
  EXPECT_THAT(
      Texts(result.warnings),
      ElementsAre(HasSubstr("t.toml:12: webhook.callback_secret: is not used: the original never read it")));
  EXPECT_TRUE(result.settings->callback.secret.empty());
  EXPECT_EQ(result.settings->teleport.addr, "example.com:3025");
  EXPECT_THAT(result.settings->endpoints.at(0).request_states, ElementsAre("Pending"));
  EXPECT_EQ(result.settings->endpoints[0].payload, PayloadKind::kLegacy);

  testing::MemoryFiles none;
  LoadInput input = Input(text, Purpose::kServe);
  input.files = &none;
  input.file_check = FileCheck::kAll;
  const LoadResult checked = Load(input);
  EXPECT_EQ(checked.problems.size(), 5U) << checked.ToError().message;
  EXPECT_EQ(checked.ToError().kind, ErrorKind::kCredentials);
}

TEST(OriginalExample, NeedsNoAuthenticationToDecideFromTheCommandLine) {
  EXPECT_TRUE(Load(Input(kExample, Purpose::kTeleport)).settings);
}

TEST(CallbackSecret, OfTheOriginalIsRefusedOnceSignaturesAreAskedFor) {
  const std::string text = std::string(testing::kTriple) +
                           "[webhook]\nwebhook_url = \"https://r/\"\ncallback_secret = \"some "
                           "words\"\n[http.basic_auth]\nuser = \"u\"\npassword = \"p\"\n";
  EXPECT_TRUE(Load(Input(text, Purpose::kServe)).settings);
  EXPECT_THAT(
      testing::Keys(Load(Input(text + "[callback]\nsignature = \"standard\"\n", Purpose::kServe)).problems),
      ElementsAre(HasSubstr("webhook.callback_secret")));
  EXPECT_THAT(testing::Keys(Load(Input(text + "[http]\nrequire = \"all\"\n", Purpose::kServe)).problems),
              ElementsAre(HasSubstr("webhook.callback_secret")));
}

TEST(CallbackSecret, ThatIsMeantAsOneIsNeverSetAside) {
  const std::string text = std::string(testing::kTriple) +
                           "[webhook]\nwebhook_url = \"https://r/\"\ncallback_secret = "
                           "\"whsec_short\"\n[http.basic_auth]\nuser = \"u\"\npassword = \"p\"\n";
  EXPECT_THAT(testing::Keys(Load(Input(text, Purpose::kServe)).problems),
              ElementsAre("t.toml:7: webhook.callback_secret"));
}

TEST(OriginalSpellings, OfTheGoDecoderAreTaken) {
  const LoadResult result =
      Load(Input("[TELEPORT]\nAUTH_SERVER = \"a:1\"\n[WEBHOOK]\nWEBHOOK_URL = "
                 "\"https://r/\"\n[http]\nLISTEN_ADDR = \":1\"\nInsecure = true\n"
                 "[http.BASIC_AUTH]\nUSER = \"u\"\npassword = \"p\"\n[log]\nSEVERITY = \"DEBUG\"\n",
                 Purpose::kSend));
  ASSERT_TRUE(result.settings) << result.ToError().message;
  EXPECT_EQ(result.settings->teleport.addr, "a:1");
  EXPECT_EQ(result.settings->http.listen_addr, ":1");
  EXPECT_EQ(result.settings->http.basic_user, "u");
  EXPECT_EQ(result.settings->log.severity, LogLevel::kDebug);
  EXPECT_THAT(Texts(result.warnings), ElementsAre(HasSubstr("http.insecure: has no effect")));
}

TEST(OriginalSpellings, DoNotExtendToNewKeysOrOtherMixtures) {
  EXPECT_THAT(testing::Keys(Load(Input("[webhook]\nPAYLOAD = \"event\"\n")).problems),
              ElementsAre(HasSubstr("webhook.PAYLOAD")));
  EXPECT_THAT(testing::Keys(Load(Input("[teleport]\nAuth_Server = \"a:1\"\n")).problems),
              ElementsAre(HasSubstr("teleport.Auth_Server")));
}

TEST(OriginalSpellings, AQuotedKeyWithADotIsNotAPath) {
  EXPECT_THAT(testing::Keys(Load(Input("[teleport]\n\"x.addr\" = \"a:1\"\n")).problems),
              ElementsAre(HasSubstr("teleport.x.addr")));
}

TEST(OriginalValues, OfTheLogAreTaken) {
  const auto log = [](const std::string& lines) {
    return Load(Input("[log]\n" + lines)).settings.value().log;
  };
  for (const char* word : {"err", "error", "ERROR", "Err"})
    EXPECT_EQ(log(std::string("severity = \"") + word + "\"\n").severity, LogLevel::kError) << word;
  for (const char* word : {"warn", "WARNING"})
    EXPECT_EQ(log(std::string("severity = \"") + word + "\"\n").severity, LogLevel::kWarning) << word;
  for (const char* word : {"stdout", "out", "1"})
    EXPECT_EQ(log(std::string("output = \"") + word + "\"\n").output, "stdout") << word;
  for (const char* word : {"stderr", "error", "2"})
    EXPECT_EQ(log(std::string("output = \"") + word + "\"\n").output, "stderr") << word;
  EXPECT_EQ(log("output = \"/var/log/x.log\"\n").output, "/var/log/x.log");
}

TEST(OriginalValues, ThatAreEmptyMeanTheDefault) {
  const LoadResult result =
      Load(Input("[teleport]\nauth_server = \"\"\nclient_key = \"\"\n[http]\nlisten_addr = \"\"\npublic_addr "
                 "= \"\"\nhttps_key_file = \"\"\n"
                 "[http.basic_auth]\nuser = \"\"\npassword = \"\"\n[log]\noutput = \"\"\nseverity = "
                 "\"\"\n[webhook]\ncallback_secret = \"\"\n"));
  ASSERT_TRUE(result.settings) << result.ToError().message;
  EXPECT_EQ(result.settings->teleport.addr, "localhost:3025");
  EXPECT_EQ(result.settings->http.listen_addr, ":8081");
  EXPECT_EQ(result.settings->log.severity, LogLevel::kInfo);
}

}  // namespace
}  // namespace tw::config
