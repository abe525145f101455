// The configuration: whatever a file holds, Load answers with settings or with well-worded problems, and
// `configure
// --from` makes TOML out of TOML.
#include "config/load.h"
#include "config/upgrade.h"
#include "fuzz.h"

namespace {

using namespace tw::config;  // NOLINT(google-build-using-namespace)

class AnyFile final : public Files {
 public:
  tw::Result<SourceText> Read(const std::string& path) const override {
    return SourceText{path, "0123456789abcdef\n", 0600};
  }
  tw::Status Readable(const std::string&) const override { return {}; }
};

void CheckLoad(const std::string& text, Purpose purpose) {
  const AnyFile files;
  LoadInput input;
  input.file = SourceText{"t.toml", text, 0644};
  input.files = &files;
  input.purpose = purpose;
  const LoadResult result = Load(input);
  FUZZ_CHECK(result.settings.has_value() == result.problems.empty());
  for (const auto* list : {&result.problems, &result.warnings}) {
    for (const Problem& problem : *list) {
      FUZZ_CHECK(!problem.what.empty());
      FUZZ_CHECK(tw::fuzz::Harmless(problem.Text()));
    }
  }
  for (const ShownValue& shown : result.shown) FUZZ_CHECK(tw::fuzz::Harmless(shown.key));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(tw::fuzz::AsText(data, size));
  CheckLoad(text, Purpose::kServe);
  CheckLoad(text, Purpose::kTeleport);
  const auto upgrade = UpgradeConfig({"t.toml", text, std::nullopt});
  const bool toml = std::holds_alternative<Value>(ParseDocument(text));
  FUZZ_CHECK(upgrade.has_value() == toml);
  if (toml) FUZZ_CHECK(std::holds_alternative<Value>(ParseDocument(upgrade->text)));
  return 0;
}
