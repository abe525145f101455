#include "cli/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tw::sandbox {
namespace {

using Json = nlohmann::ordered_json;

std::string Join(const Json& list) {
  std::string text;
  for (const auto& item : list) text += (text.empty() ? "" : ",") + item.get<std::string>();
  return text;
}

std::string Cell(const Json& value) {
  if (value.is_string()) return EscapeControls(value.get<std::string>());
  if (value.is_array() && std::ranges::all_of(value, [](const Json& one) { return one.is_string(); })) {
    return EscapeControls(Join(value));
  }
  return EscapeControls(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string Table(const Json& requests) {
  std::string text = fmt::format("{:36}  {:10}  {:20}  {:9}  {:24}  {}\n", "ID", "USER", "ROLES", "STATE",
                                 "CREATED", "REASON");
  for (const Json& request : requests) {
    text += fmt::format("{:36}  {:10}  {:20}  {:9}  {:24}  {}\n", Cell(request["id"]), Cell(request["user"]),
                        Cell(request["roles"]), Cell(request["state"]), Cell(request["created"]),
                        Cell(request["reason"]));
  }
  return text;
}

std::string Fields(const Json& object) {
  std::string text;
  for (const auto& [key, value] : object.items()) {
    if (value.empty() && (value.is_array() || value.is_object())) continue;
    if (value.is_string() && value.get<std::string>().empty()) continue;
    text += fmt::format("{:20} {}\n", key, Cell(value));
  }
  return text;
}

}  // namespace

std::string FormatResult(const std::string& verb, const std::string& result) {
  const Json json = Json::parse(result);
  if (verb == "request") return json["id"].get<std::string>() + "\n";
  if (verb == "list") return Table(json);
  if (verb == "burst") {
    return fmt::format("{} requests in {:.3f} s\n", json["requests"].get<std::uint64_t>(),
                       json["seconds"].get<double>());
  }
  if (verb == "show" || verb == "status") return Fields(json);
  if (json.contains("state")) return fmt::format("{} {}\n", Cell(json["id"]), Cell(json["state"]));
  return {};
}

std::string FormatError(const Error& error) {
  std::string text = "teleport-sandbox: " + EscapeControls(error.message) + "\n";
  if (!error.hint.empty()) text += "  " + EscapeControls(error.hint) + "\n";
  return text;
}

}  // namespace tw::sandbox
