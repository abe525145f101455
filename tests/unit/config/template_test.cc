#include "config/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "config_test_util.h"
#include "fakes/fake_random.h"

namespace tw::config {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Input;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Texts;

testing::MemoryFiles TemplateFiles() {
  testing::MemoryFiles files;
  const std::string dir = "/etc/teleport-webhooks/";
  for (const char* name : {"secret", "callback-secret", "old-secrets"})
    files.Put(dir + name, testing::kSecret);
  files.Put(dir + "portal-secret", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
  files.Put(dir + "receiver-token", "0123456789abcdef");
  files.Put(dir + "caller-token", "fedcba9876543210");
  return files;
}

LoadResult LoadTemplate(const std::string& text) {
  const testing::MemoryFiles files = TemplateFiles();
  LoadInput input = Input(text, Purpose::kServe);
  input.files = &files;
  return Load(input);
}

TEST(ConfigTemplate, LoadsBackForServeWithoutAProblemOrWarning) {
  for (const bool notify_only : {false, true}) {
    TemplateOptions options;
    options.notify_only = notify_only;
    const LoadResult result = LoadTemplate(ConfigTemplate(options));
    EXPECT_THAT(Texts(result.problems), IsEmpty());
    EXPECT_THAT(Texts(result.warnings), IsEmpty());
    EXPECT_EQ(result.settings.value().notify_only, notify_only);
  }
}

TEST(ConfigTemplate, ChoosesTheFullEventAndTheAuthenticatedName) {
  const Settings settings = LoadTemplate(ConfigTemplate({})).settings.value();
  EXPECT_EQ(settings.endpoints.at(0).payload, PayloadKind::kEvent);
  EXPECT_EQ(settings.callback.delegator, DelegatorSource::kAuth);
}

TEST(ConfigTemplate, TakesWhatIsKnownAlready) {
  TemplateOptions options;
  options.addr = "p.example.org:443";
  options.webhook_url = "https://r.example.org/\"quoted\"";
  options.public_addr = "cb.example.org:9000";
  options.secret = Secret(testing::kSecret);
  options.callback_secret = Secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
  const std::string text = ConfigTemplate(options);
  EXPECT_THAT(Texts(LoadTemplate(text).problems),
              ElementsAre(HasSubstr("webhook.webhook_url")));  // a quote is no URL
  options.webhook_url = "https://r.example.org/x";
  const LoadResult result = LoadTemplate(ConfigTemplate(options));
  ASSERT_TRUE(result.settings) << result.ToError().message;
  EXPECT_EQ(result.settings->teleport.addr, "p.example.org:443");
  EXPECT_EQ(result.settings->endpoints.at(0).url.host, "r.example.org");
  EXPECT_EQ(result.settings->http.public_addr, "cb.example.org:9000");
  EXPECT_EQ(result.settings->endpoints[0].secrets.at(0).Reveal(), testing::kSecret);
  EXPECT_EQ(result.settings->callback.secret.Reveal(), "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
}

TEST(ConfigTemplate, HoldsNoSecretOfItsOwn) {
  EXPECT_THAT(ConfigTemplate({}), Not(HasSubstr("whsec_")));
}

// Each commented key, alone, by taking its mark away.
TEST(ConfigTemplate, EveryCommentedKeyIsAKeyWithAUsableValue) {
  const std::string text = ConfigTemplate({});
  const auto lines = Split(text, '\n');
  int tried = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = lines[i];
    if (!line.starts_with("# ") || line.find(" = ") == std::string_view::npos || line[2] == '[' ||
        line.find("\"# key") != std::string_view::npos)
      continue;
    const std::string_view key = line.substr(2, line.find(" = ") - 2);
    if (key.find(' ') != std::string_view::npos) continue;
    // Keys of a commented list of sections need its header.
    std::size_t header = i;
    while (header > 0 && lines[header].starts_with("# ") && !lines[header].starts_with("# [[")) --header;
    std::string changed;
    for (std::size_t j = 0; j < lines.size(); ++j) {
      const bool block = lines[header].starts_with("# [[") && j >= header && j <= i;
      changed += std::string(j == i || block ? lines[j].substr(2) : lines[j]) + "\n";
    }
    ++tried;
    for (const std::string& problem : Texts(LoadTemplate(changed).problems)) {
      EXPECT_THAT(problem, AnyOf(HasSubstr("excludes"), HasSubstr("needs https_"),
                                 HasSubstr("has no credential"), HasSubstr("url: is missing")))
          << line << "\n"
          << problem;
    }
  }
  EXPECT_GT(tried, 40);
}

TEST(NewSecret, IsAStandardWebhooksSecret) {
  fakes::FakeRandom random;
  const std::string secret = NewSecret(random);
  EXPECT_EQ(secret.size(), 6U + 44U);
  TemplateOptions options;
  options.secret = Secret(secret);
  EXPECT_TRUE(LoadTemplate(ConfigTemplate(options)).settings);
  EXPECT_NE(NewSecret(random), secret);
}

std::string Shipped(const std::string& path) {
  std::ifstream file(std::string(TW_SOURCE_DIR) + path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(ShippedFiles, AreWhatConfigurePrints) {
  EXPECT_EQ(Shipped("/examples/teleport-webhooks.toml"), ConfigTemplate({}));
  EXPECT_EQ(Shipped("/packaging/teleport-webhooks.service"), Document(DocumentKind::kSystemd, {}));
}

TEST(Documents, AreNamedAsOnTheCommandLine) {
  EXPECT_EQ(ParseDocumentKind("config"), DocumentKind::kConfig);
  EXPECT_EQ(ParseDocumentKind("role-review"), DocumentKind::kRoleReview);
  EXPECT_EQ(ParseDocumentKind("systemd"), DocumentKind::kSystemd);
  EXPECT_FALSE(ParseDocumentKind("roles"));
}

TEST(Documents, RolesGrantWhatTheirKindNeedsAndNoMore) {
  EXPECT_THAT(Document(DocumentKind::kRole, {}),
              AllOf(HasSubstr("verbs: [list, read, update]"), Not(HasSubstr("review_requests"))));
  EXPECT_THAT(
      Document(DocumentKind::kRoleReview, {}),
      AllOf(HasSubstr("verbs: [list, read]\n"), HasSubstr("review_requests"), Not(HasSubstr("update"))));
  EXPECT_THAT(
      Document(DocumentKind::kRoleNotify, {}),
      AllOf(HasSubstr("verbs: [list, read]\n"), Not(HasSubstr("review_requests")), Not(HasSubstr("update"))));
}

TEST(Documents, OfARoleThatOnlyNotifiesIsTheSameByEitherName) {
  DocumentOptions options;
  options.config.notify_only = true;
  EXPECT_EQ(Document(DocumentKind::kRole, options), Document(DocumentKind::kRoleNotify, {}));
}

TEST(Documents, OfTbotNameAnAuthServiceByItsPort) {
  DocumentOptions options;
  options.config.addr = "auth.example.com:3025";
  EXPECT_THAT(Document(DocumentKind::kTbot, options),
              AllOf(HasSubstr("\nauth_server: \"auth.example.com:3025\"\n"), Not(HasSubstr("proxy_server"))));
  options.config.addr = "proxy.example.com:443";
  EXPECT_THAT(Document(DocumentKind::kTbot, options),
              AllOf(HasSubstr("\nproxy_server: \"proxy.example.com:443\"\n"), Not(HasSubstr("auth_server"))));
}

bool Have(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

class DocumentFile {
 public:
  DocumentFile(const std::string& name, const std::string& text) {
    std::string pattern = std::filesystem::temp_directory_path() / "tw-doc-XXXXXX";
    if (::mkdtemp(pattern.data()) != nullptr) dir_ = pattern;
    path_ = dir_ / name;
    std::ofstream(path_) << text;
  }
  ~DocumentFile() { std::filesystem::remove_all(dir_); }
  // Runs a command with "{}" as the file; its output, ended by "exit N".
  std::string Run(std::string command) const {
    command.replace(command.find("{}"), 2, path_);
    const std::string out = dir_ / "out";
    const int status = std::system((command + " >" + out + " 2>&1").c_str());
    std::ifstream file(out);
    return std::string(std::istreambuf_iterator<char>(file), {}) + "exit " + std::to_string(status);
  }

 private:
  std::filesystem::path dir_;
  std::filesystem::path path_;
};

TEST(Documents, AreYamlThatParses) {
  if (!Have("/usr/bin/python3 -c 'import yaml'")) GTEST_SKIP() << "python3-yaml is not installed";
  DocumentOptions options;
  for (const char* addr : {"", "p.example.org:443", "odd: #\"addr"}) {
    options.config.addr = addr;
    for (const auto kind :
         {DocumentKind::kRole, DocumentKind::kRoleReview, DocumentKind::kRoleNotify, DocumentKind::kTbot}) {
      const DocumentFile file("d.yaml", Document(kind, options));
      EXPECT_THAT(file.Run("/usr/bin/python3 -c 'import sys,yaml; print([d[\"version\"] for d in "
                           "yaml.safe_load_all(open(\"{}\"))])'"),
                  AnyOf("['v5', 'v2']\nexit 0", "['v2']\nexit 0"));
    }
  }
}

TEST(Documents, TheUnitPassesTheChecksOfSystemdWithoutALine) {
  if (!Have("systemd-analyze --version")) GTEST_SKIP() << "systemd-analyze is not installed";
  DocumentOptions options;
  options.program = "/bin/true";
  const DocumentFile file("teleport-webhooks.service", Document(DocumentKind::kSystemd, options));
  EXPECT_EQ(file.Run("systemd-analyze verify {}"), "exit 0");
}

TEST(Documents, TheUnitIsExposedToAtMostTwoPoints) {
  if (!Have("systemd-analyze --version")) GTEST_SKIP() << "systemd-analyze is not installed";
  const DocumentFile file("teleport-webhooks.service", Document(DocumentKind::kSystemd, {}));
  EXPECT_THAT(file.Run("systemd-analyze security --offline=true --threshold=20 --no-pager {} | grep -c "
                       "'Overall exposure level'"),
              HasSubstr("1\nexit 0"));
  EXPECT_THAT(file.Run("systemd-analyze security --offline=true --threshold=20 --no-pager {} >/dev/null"),
              HasSubstr("exit 0"));
}

TEST(Documents, TheUnitSpeaksSystemdsLanguage) {
  const std::string unit = Document(DocumentKind::kSystemd, {});
  for (const char* line : {"Type=notify\n", "ExecReload=/bin/kill -HUP $MAINPID\n",
                           "StateDirectory=teleport-webhooks\n", "CapabilityBoundingSet=\n"}) {
    EXPECT_THAT(unit, HasSubstr(line));
  }
  DocumentOptions options;
  options.program = "/opt/a b/100%/x";
  EXPECT_THAT(Document(DocumentKind::kSystemd, options), HasSubstr("ExecStart=/opt/a\\x20b/100%%/x serve"));
}

}  // namespace
}  // namespace tw::config
