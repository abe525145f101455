// Secrets in files of their own, and the silence of every message about secrets.
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
using testing::MemoryFiles;
using ::testing::Not;
using testing::Texts;

LoadResult LoadWith(const MemoryFiles& files, const std::string& text, Purpose purpose,
                    FileCheck check = FileCheck::kSecrets) {
  LoadInput input = Input(text, purpose);
  input.files = &files;
  input.file_check = check;
  return Load(input);
}

const std::string kReceiver = "[webhook]\nwebhook_url = \"https://r/\"\n";

TEST(SecretFiles, AreReadWithoutTheirLastNewline) {
  MemoryFiles files;
  files.Put("s", std::string(testing::kSecret) + "\r\n");
  const LoadResult result = LoadWith(files, kReceiver + "secret_file = \"s\"\n", Purpose::kSend);
  ASSERT_TRUE(result.settings) << result.ToError().message;
  EXPECT_EQ(result.settings->endpoints[0].secrets.at(0).Reveal(), testing::kSecret);
  EXPECT_THAT(result.warnings, IsEmpty());
}

TEST(SecretFiles, AByteOrderMarkIsCalledByItsName) {
  MemoryFiles files;
  files.Put("s", "\xef\xbb\xbf" + std::string(testing::kSecret) + "\r\n");
  for (const char* key : {"secret_file", "bearer_token_file"}) {
    const LoadResult result = LoadWith(files, kReceiver + key + " = \"s\"\n", Purpose::kSend);
    ASSERT_FALSE(result.settings);
    EXPECT_THAT(result.ToError().message, HasSubstr("begins with a byte order mark"));
  }
}

TEST(SecretFiles, HoldSeveralOldSecretsHeadersAndAddresses) {
  MemoryFiles files;
  files.Put("s", testing::kSecret);
  files.Put("old", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\n" + std::string(testing::kSecret) + "\n");
  files.Put("h", "X-Api-Key: k:1\nX-Other: o\n");
  files.Put("u", "https://hooks.example.com/T000/CANARY\n");
  const LoadResult result = LoadWith(files,
                                     "[webhook]\nwebhook_url_file = \"u\"\nsecret_file = "
                                     "\"s\"\nold_secrets_file = \"old\"\nheaders_file = \"h\"\n",
                                     Purpose::kSend);
  ASSERT_TRUE(result.settings) << result.ToError().message;
  const EndpointSettings& endpoint = result.settings->endpoints.at(0);
  EXPECT_EQ(endpoint.secrets.size(), 3U);
  EXPECT_EQ(endpoint.headers.at(0).value.Reveal(), "k:1");
  EXPECT_EQ(endpoint.url.target, "/T000/CANARY");
}

TEST(SecretFiles, AreOpenedOnlyWhenTheRestIsValid) {
  MemoryFiles files;
  const LoadResult result =
      LoadWith(files, kReceiver + "secret_file = \"s\"\ntimeout = \"x\"\n", Purpose::kSend);
  EXPECT_EQ(result.problems.size(), 1U);
  EXPECT_THAT(files.opened, IsEmpty());
}

TEST(SecretFiles, ThatAreMissingAreNamedTogetherAsCredentials) {
  MemoryFiles files;
  const LoadResult result =
      LoadWith(files,
               Complete("[webhook.breaker]\nfailures = 3\n[callback]\n[[callback.caller]]\nname = "
                        "\"a\"\nhmac_secret_file = \"h\"\n[http]\nbearer_token_file = \"b\"\n"),
               Purpose::kServe);
  EXPECT_THAT(Texts(result.problems), ::testing::UnorderedElementsAre(
                                          HasSubstr("http.bearer_token_file: cannot read b"),
                                          HasSubstr("callback.caller.a.hmac_secret_file: cannot read h")));
  EXPECT_EQ(result.ToError().kind, ErrorKind::kCredentials);
}

TEST(SecretFiles, EveryOtherMissingFileIsNamedWithThemWhenAsked) {
  MemoryFiles files;
  files.Put("a.crt", "");
  const LoadResult result = LoadWith(
      files,
      Complete("[http]\nhttps_key_file = \"hk\"\nhttps_cert_file = \"hc\"\nbearer_token_file = \"b\"\n"),
      Purpose::kServe, FileCheck::kAll);
  EXPECT_THAT(
      testing::Keys(result.problems),
      ::testing::UnorderedElementsAre(HasSubstr("teleport.client_key"), HasSubstr("teleport.root_cas"),
                                      HasSubstr("http.https_key_file"), HasSubstr("http.https_cert_file"),
                                      HasSubstr("http.bearer_token_file")));
  EXPECT_EQ(result.ToError().kind, ErrorKind::kCredentials);
}

TEST(SecretFiles, WithAnUnusableSecretAreAConfigurationError) {
  MemoryFiles files;
  files.Put("s", "CANARY\n");
  files.Put("e", "\n");
  const LoadResult result = LoadWith(files, kReceiver + "secret_file = \"s\"\n", Purpose::kSend);
  EXPECT_THAT(Texts(result.problems), ElementsAre(AllOf(HasSubstr("t.toml:3: webhook.secret_file"),
                                                        HasSubstr("whsec_"), Not(HasSubstr("CANARY")))));
  EXPECT_EQ(result.ToError().kind, ErrorKind::kConfig);
  EXPECT_THAT(Texts(LoadWith(files, kReceiver + "secret_file = \"e\"\n", Purpose::kSend).problems),
              ElementsAre(HasSubstr("the file is empty")));
}

TEST(SecretFiles, ThatOthersMayReadAreWarnedAbout) {
  MemoryFiles files;
  files.Put("/etc/s", testing::kSecret, 0640);
  files.Put("/run/credentials/u/s", testing::kSecret, 0440);
  const LoadResult result = LoadWith(files, kReceiver + "secret_file = \"/etc/s\"\n", Purpose::kSend);
  EXPECT_THAT(Texts(result.warnings),
              ElementsAre(AllOf(HasSubstr("/etc/s may be read by others"), HasSubstr("chmod 600 /etc/s"))));
  LoadInput input = Input(kReceiver + "secret_file = \"/run/credentials/u/s\"\n", Purpose::kSend);
  input.files = &files;
  input.environment = {{"CREDENTIALS_DIRECTORY", "/run/credentials/u"}};
  EXPECT_THAT(Load(input).warnings, IsEmpty());
}

TEST(SecretFiles, ExcludeTheSameSecretInTheText) {
  MemoryFiles files;
  const LoadResult result = LoadWith(
      files, kReceiver + "secret = \"" + testing::kSecret + "\"\nsecret_file = \"s\"\n", Purpose::kSend);
  EXPECT_THAT(Texts(result.problems),
              ElementsAre(HasSubstr("webhook.secret_file: the same setting is given as secret (t.toml:3)")));
}

TEST(SecretFiles, OfTheFileGiveWayToTheEnvironment) {
  MemoryFiles files;
  LoadInput input = Input(kReceiver + "secret_file = \"s\"\n", Purpose::kSend);
  input.files = &files;
  input.environment = {{"TELEPORT_WEBHOOKS_WEBHOOK_SECRET", testing::kSecret}};
  ASSERT_TRUE(Load(input).settings);
  EXPECT_THAT(files.opened, IsEmpty());
}

TEST(ConfigFile, WithSecretsThatAllMayReadIsWarnedAbout) {
  LoadInput input = Input(Complete(), Purpose::kServe);
  input.file->mode = 0644;
  EXPECT_THAT(Texts(Load(input).warnings),
              ElementsAre(AllOf(HasSubstr("t.toml: holds secrets (http.basic_auth.password)"),
                                HasSubstr("chmod o-r t.toml"))));
  input.file->mode = 0640;
  EXPECT_THAT(Load(input).warnings, IsEmpty());
  input.file = SourceText{"t.toml", "[log]\nseverity = \"INFO\"\n", 0644};
  input.purpose = Purpose::kNothing;
  EXPECT_THAT(Load(input).warnings, IsEmpty());
}

TEST(SecretFiles, AreNamedByTheirPathNotByTheSecretItself) {
  for (const std::string label : {"", "v1,"}) {
    const LoadResult result =
        Load(Input(kReceiver + "secret_file = \"" + label + testing::kSecret + "\"\n", Purpose::kSend));
    EXPECT_THAT(Texts(result.problems), ElementsAre(AllOf(HasSubstr("webhook.secret_file: holds a secret"),
                                                          HasSubstr("write secret "))));
    EXPECT_THAT(result.ToError().message + RenderShown(result.shown), Not(HasSubstr("MfKQ9r8G")));
  }
  MemoryFiles files;
  const std::string path = std::string("./") + testing::kSecret;
  files.Put(path, testing::kSecret);
  EXPECT_TRUE(LoadWith(files, kReceiver + "secret_file = \"" + path + "\"\n", Purpose::kSend).settings);
}

// Each secret key with a value of the wrong form, and with the right form beside some other mistake.
TEST(Canary, IsInNoMessageAndNotInTheShownConfiguration) {
  for (const KeyInfo& info : config::Keys()) {
    if (!info.secret) continue;
    std::string value = "\"CANARY hunter\"";
    if (info.type == "list of secrets") value = "[\"CANARY hunter\"]";
    if (info.type == "table of text") value = "{ \"X-A\" = \"CANARY hunter\", \"Bad Name\" = \"CANARY\" }";
    const std::string header = info.list_section ? "[[" + info.section + "]]\n" : "[" + info.section + "]\n";
    for (const std::string& text :
         {header + info.key + " = " + value + "\n", header + info.key + " = { a = \"CANARY\" }\n",
          header + info.key + " = CANARY\n", header + info.key + " = \"CANARY\n"}) {
      const LoadResult result = Load(Input(text, Purpose::kServe));
      EXPECT_FALSE(result.problems.empty());
      EXPECT_THAT(result.ToError().message + RenderShown(result.shown), Not(HasSubstr("CANARY"))) << text;
    }
  }
}

}  // namespace
}  // namespace tw::config
