// What `check --show-config` prints.
#include "config/show.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_test_util.h"

namespace tw::config {
namespace {

using ::testing::AllOf;
using testing::Complete;
using ::testing::HasSubstr;
using testing::Input;
using ::testing::Not;

TEST(ShowConfig, GivesEveryValueWithItsOrigin) {
  LoadInput input = Input(Complete("[log]\nseverity = \"WARN\"\n"), Purpose::kServe);
  input.environment = {{"TELEPORT_WEBHOOKS_WEBHOOK_CONCURRENCY", "4"}};
  input.set = {"webhook.timeout=3s"};
  const std::string text = RenderShown(Load(input).shown);
  EXPECT_THAT(text, HasSubstr("log.severity = \"WARN\"  # t.toml:11\n"));
  EXPECT_THAT(text, HasSubstr("webhook.concurrency = 4  # TELEPORT_WEBHOOKS_WEBHOOK_CONCURRENCY\n"));
  EXPECT_THAT(text, HasSubstr("webhook.timeout = \"3s\"  # --set\n"));
  EXPECT_THAT(text, HasSubstr("webhook.retry.max = \"10m\"  # default\n"));
  EXPECT_THAT(text, HasSubstr("webhook.request_states = [\"Pending\"]  # default\n"));
}

TEST(ShowConfig, HidesSecretsAndThePathsOfReceivers) {
  const std::string text = RenderShown(
      Load(Input(
               "[teleport]\nidentity = \"i\"\nproxy_url = \"http://u:CANARY@p:3128\"\n[webhook]\nwebhook_url "
               "= \"https://u:CANARY@r.example.com/CANARY?k=CANARY\"\nsecret = \"whsec_CANARY\"\n"
               "headers = { \"X-Key\" = \"CANARY\" }\n[http]\npublic_addr = "
               "\"https://u:CANARY@h\"\nbearer_token = \"CANARY\"\n[[endpoint]]\nname = \"crm\"\nurl = "
               "\"https://c/CANARY\"\n"))
          .shown);
  EXPECT_THAT(text, Not(HasSubstr("CANARY")));
  EXPECT_THAT(text, HasSubstr("webhook.webhook_url = \"https://r.example.com/***\"  # t.toml:5\n"));
  EXPECT_THAT(text, HasSubstr("webhook.secret = \"***\""));
  EXPECT_THAT(text, HasSubstr("webhook.headers = { \"X-Key\" = \"***\" }"));
  EXPECT_THAT(text, HasSubstr("teleport.proxy_url = \"http://p:3128\""));
  EXPECT_THAT(text, HasSubstr("http.public_addr = \"https://h\""));
  EXPECT_THAT(text, HasSubstr("endpoint.crm.url = \"https://c/***\""));
}

TEST(ShowConfig, NamesTheFileOfASecretInPlaceOfTheSecret) {
  testing::MemoryFiles files;
  files.Put("/s", testing::kSecret);
  LoadInput input = Input("[webhook]\nwebhook_url = \"https://r/\"\nsecret_file = \"/s\"\n", Purpose::kSend);
  input.files = &files;
  EXPECT_THAT(RenderShown(Load(input).shown), HasSubstr("webhook.secret_file = \"/s\"  # t.toml:3\n"));
}

TEST(ShowConfig, QuotesTextAsTomlDoes) {
  EXPECT_EQ(TomlQuote("a\"b\\c\nd\x01"), "\"a\\\"b\\\\c\\nd\\u0001\"");
}

}  // namespace
}  // namespace tw::config
