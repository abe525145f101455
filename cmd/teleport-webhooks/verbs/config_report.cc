#include "verbs/config_report.h"

#include <nlohmann/json.hpp>

namespace tw::cli {
namespace {

using Json = nlohmann::ordered_json;

// Values are TOML; all but tables are JSON as well.
Json ValueJson(const std::string& toml) {
  Json value = Json::parse(toml, nullptr, false);
  return value.is_discarded() ? Json(toml) : value;
}

}  // namespace

Status ReportConfig(Invocation& invocation, const config::LoadResult& result) {
  if (invocation.format() == Format::kText) return invocation.out().Write(config::RenderShown(result.shown));
  Json all = Json::array();
  for (const config::ShownValue& shown : result.shown) {
    Json line = {{"key", shown.key}, {"value", ValueJson(shown.value)}, {"origin", shown.origin}};
    if (invocation.format() == Format::kJson) {
      all.push_back(std::move(line));
      continue;
    }
    if (const Status told = invocation.out().Line(line.dump(-1, ' ', false, Json::error_handler_t::replace));
        !told)
      return told;
  }
  if (invocation.format() == Format::kNdjson) return {};
  return invocation.out().Line(all.dump(2, ' ', false, Json::error_handler_t::replace));
}

}  // namespace tw::cli
