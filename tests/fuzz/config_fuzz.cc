// Configuration files. The first byte picks what the rest is: a whole file, or the value of one secret key,
// which must then appear in nothing that is told.
#include <array>

#include "config/load.h"
#include "config/show.h"
#include "config/upgrade.h"
#include "fuzz.h"

namespace {

using namespace tw;
using namespace tw::config;

// No file of this machine is read.
class NoFiles final : public Files {
 public:
  Result<SourceText> Read(const std::string&) const override { return SourceText{"secret", text, 0600}; }
  Status Readable(const std::string&) const override { return {}; }
  std::string text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n";
};

constexpr std::string_view kFrame = R"(
[webhook]
webhook_url = "https://receiver.example.com/hook"
[teleport]
identity = "identity"
[http.basic_auth]
user = "portal"
password = "correct horse"
)";

// A key that may hold a secret, and the text around its value.
struct SecretKey {
  std::string_view before;
  std::string_view after;
};
constexpr std::array kSecrets = {
    SecretKey{"[webhook]\nwebhook_url = \"https://r.example.com/\"\nsecret = ", "\n"},
    SecretKey{"[webhook]\nold_secrets = [", "]\n"},
    SecretKey{"[webhook]\ncallback_secret = ", "\n"},
    SecretKey{"[webhook]\nbearer_token = ", "\n"},
    SecretKey{"[webhook]\nheaders = { \"X-Token\" = ", " }\n"},
    SecretKey{"[webhook]\nbasic_user = \"u\"\nbasic_password = ", "\n"},
    SecretKey{"[http.basic_auth]\nuser = \"u\"\npassword = ", "\n"},
    SecretKey{"[http]\nbearer_token = ", "\n"},
    SecretKey{"[[callback.caller]]\nname = \"crm\"\nbearer_token = ", "\n"},
    SecretKey{"[[callback.caller]]\nname = \"crm\"\nhmac_secret = ", "\n"},
};

LoadResult LoadText(std::string text, const Files& files, Purpose purpose = Purpose::kServe) {
  LoadInput input;
  input.purpose = purpose;
  input.file = SourceText{"teleport-webhooks.toml", std::move(text), 0600};
  input.files = &files;
  return Load(input);
}

// Everything that a person or a log may get to see.
std::string Told(const LoadResult& result) {
  std::string out = RenderShown(result.shown);
  for (const auto* list : {&result.problems, &result.warnings}) {
    for (const Problem& problem : *list) {
      FUZZ_CHECK(!problem.what.empty() && fuzz::Harmless(problem.Text()));
      out += problem.Text() + "\n";
    }
  }
  if (!result.problems.empty()) out += result.ToError().message + result.ToError().hint;
  return out;
}

void CheckFile(std::string_view text) {
  const NoFiles files;
  const LoadResult result = LoadText(std::string(text), files);
  FUZZ_CHECK(result.settings.has_value() == result.problems.empty());
  const std::string told = Told(result);
  FUZZ_CHECK(Told(LoadText(std::string(text), files)) == told);
  const LoadResult less = LoadText(std::string(text), files, Purpose::kTeleport);
  FUZZ_CHECK(less.settings.has_value() == less.problems.empty());
  for (const ShownValue& shown : result.shown) FUZZ_CHECK(fuzz::Harmless(shown.key));
  const auto upgraded = UpgradeConfig({"old.toml", std::string(text), 0600});
  FUZZ_CHECK(upgraded.has_value() == std::holds_alternative<Value>(ParseDocument(text)));
  if (!upgraded) {
    FUZZ_CHECK(upgraded.error().kind == ErrorKind::kConfig && !upgraded.error().message.empty());
    return;
  }
  for (const std::string& note : upgraded->notes) FUZZ_CHECK(fuzz::Harmless(note));
  // What was upgraded is up to date.
  const auto again = UpgradeConfig({"old.toml", upgraded->text, 0600});
  FUZZ_CHECK(again && again->notes.empty() && again->text == upgraded->text);
}

void CheckSecret(std::string_view text) {
  const SecretKey& key = kSecrets[static_cast<unsigned char>(text[0]) % kSecrets.size()];
  const std::string canary = "CANARY" + std::string(text.substr(1));
  // Once as text in quotes, once as it is: wrong TOML more often than not.
  for (const std::string& value : {TomlQuote(canary), canary}) {
    const std::string file = std::string(key.before) + value + std::string(key.after);
    FUZZ_CHECK(Told(LoadText(file, NoFiles())).find("CANARY") == std::string::npos);
  }
  NoFiles files;
  files.text = canary;
  const std::string file =
      std::string(kFrame) + "[callback]\n[[callback.caller]]\nname = \"crm\"\nbearer_token_file = \"f\"\n";
  FUZZ_CHECK(Told(LoadText(file, files)).find("CANARY") == std::string::npos);
  LoadInput input;
  input.environment = {{"TELEPORT_WEBHOOKS_WEBHOOK_SECRET", canary},
                       {"TELEPORT_WEBHOOKS_HTTP_BEARER_TOKEN", canary}};
  input.files = &files;
  FUZZ_CHECK(Told(Load(input)).find("CANARY") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::AsText(data, size);
  if (text.size() > 1 && text[0] == '\x01') {
    CheckSecret(text.substr(1));
  } else {
    CheckFile(text);
  }
  return 0;
}
