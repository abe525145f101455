// What jq programs are run on. Results are JSON, the same on every run; errors name the program's place.
#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "fuzz.h"
#include "jq/jq_module.h"

extern "C" tw::jq::Compiler* TwMakeJqCompiler();

namespace {

using namespace tw;

constexpr std::string_view kOrigin = "config.toml:7: webhook.when";
constexpr std::array kPrograms = {
    ".",
    ".data.state == \"PENDING\"",
    ".data.roles | index(\"dba\")",
    "{text: \"\\(.data.user) asks for \\(.data.roles | join(\", \"))\", fields: (.data | to_entries)}",
    "[.. | strings] | map(ascii_downcase) | unique | tojson",
    ".data.reason | test(\"(a+)+$\")",
    "[paths] | length",
    ".timestamp | sub(\"\\\\.[0-9]+Z$\"; \"Z\") | fromdate",
};

struct Programs {
  std::vector<std::unique_ptr<jq::Program>> all;
  Programs() {
    const std::unique_ptr<jq::Compiler> compiler(TwMakeJqCompiler());
    for (const char* text : kPrograms)
      all.push_back(std::move(*compiler->Compile(text, std::string(kOrigin))));
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Programs programs;
  const std::string_view json = fuzz::AsText(data, size);
  for (const auto& program : programs.all) {
    const auto result = program->First(json);
    if (!result) {
      FUZZ_CHECK(fuzz::WellWorded(result.error()) && result.error().message.starts_with(kOrigin));
      continue;
    }
    if (!*result) continue;
    FUZZ_CHECK(nlohmann::json::accept(**result) && IsUtf8(**result));
    FUZZ_CHECK((*result)->find('\n') == std::string::npos);
    const auto again = program->First(json);
    // A program that stayed just within its time once need not do so twice.
    FUZZ_CHECK(again ? *again == *result : again.error().message.find("stopped after") != std::string::npos);
  }
  // What "." prints is canonical.
  if (const auto same = programs.all[0]->Only(json)) {
    const auto again = programs.all[0]->Only(*same);
    FUZZ_CHECK(again && *again == *same);
  }
  return 0;
}
