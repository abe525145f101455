// JSON bodies of callbacks, the original's and ours. A second, plain reading of the same text must agree with
// what we understood, since what two readers understand differently is how a decision gets forged.
#include <map>
#include <nlohmann/json.hpp>

#include "callback/body.h"
#include "callback/json.h"
#include "fuzz.h"

namespace {

using namespace tw;
using namespace tw::callback;
using nlohmann::json;

void CheckRefusal(const Error& error) {
  FUZZ_CHECK(error.kind == ErrorKind::kUsage && fuzz::WellWorded(error));
}

// A refusal quotes nothing of the body.
void CheckSecrecy(std::string_view body) {
  const std::string marked = fuzz::WithCanary(body);
  const auto value = ParseJson(marked, JsonKeys::kExact);
  FUZZ_CHECK(value || !fuzz::TellsCanary(value.error()));
  const auto legacy = ParseLegacyBody(marked);
  FUZZ_CHECK(legacy || !fuzz::TellsCanary(legacy.error()));
  const auto v1 = ParseV1Body(BodyFormat::kJson, marked);
  FUZZ_CHECK(v1 || !fuzz::TellsCanary(v1.error()));
}

std::string Write(const JsonValue& value) {
  std::string out;
  switch (value.kind) {
    case JsonValue::Kind::kNull:
      return "null";
    case JsonValue::Kind::kBool:
      return value.truth ? "true" : "false";
    case JsonValue::Kind::kNumber:
      return value.text;
    case JsonValue::Kind::kString:
      return JsonQuote(value.text);
    case JsonValue::Kind::kArray:
      for (const JsonValue& item : value.items) out += (out.empty() ? "" : ",") + Write(item);
      return "[" + out + "]";
    case JsonValue::Kind::kObject:
      for (const auto& [key, member] : value.members)
        out += (out.empty() ? "" : ",") + JsonQuote(key) + ":" + Write(member);
      return "{" + out + "}";
  }
  return out;
}

int Depth(const JsonValue& value) {
  int deepest = 0;
  for (const JsonValue& item : value.items) deepest = std::max(deepest, Depth(item));
  for (const auto& [key, member] : value.members) deepest = std::max(deepest, Depth(member));
  const bool nests = value.kind == JsonValue::Kind::kArray || value.kind == JsonValue::Kind::kObject;
  return deepest + (nests ? 1 : 0);
}

void CheckReader(std::string_view text) {
  const auto value = ParseJson(text, JsonKeys::kExact);
  if (!value) {
    CheckRefusal(value.error());
    return;
  }
  FUZZ_CHECK(IsUtf8(text) && text.find('\0') == std::string_view::npos && json::accept(text));
  FUZZ_CHECK(Depth(*value) <= kJsonDepth);
  const std::string written = Write(*value);
  FUZZ_CHECK(json::parse(written) == json::parse(text));
  const auto again = ParseJson(written, JsonKeys::kExact);
  FUZZ_CHECK(again && Write(*again) == written);
}

// Members as a reader without suspicion sees them, names in lower case.
std::map<std::string, json> Folded(const json& object) {
  std::map<std::string, json> out;
  for (const auto& [key, value] : object.items()) out[AsciiLower(key)] = value;
  return out;
}

void CheckLegacy(std::string_view body) {
  const auto ask = ParseLegacyBody(body);
  if (!ask) {
    CheckRefusal(ask.error());
    return;
  }
  FUZZ_CHECK(ask->decision == access::RequestState::kApproved ||
             ask->decision == access::RequestState::kDenied);
  FUZZ_CHECK(ask->roles.empty() && ask->annotations.empty());
  auto payload = Folded(Folded(json::parse(body)).at("payload"));
  const std::string state = payload.contains("state") && payload["state"].is_string()
                                ? AsciiLower(payload["state"].get<std::string>())
                                : "";
  // Names may also be spelled with the two letters that fold to ASCII; those have no plain counterpart.
  if (!state.empty()) FUZZ_CHECK((state == "approved") == (ask->decision == access::RequestState::kApproved));
  for (const char* name : {"reqid", "requestid"}) {
    if (payload.contains(name) && payload[name].is_string() && !payload[name].get<std::string>().empty())
      FUZZ_CHECK(payload[name].get<std::string>() == ask->request_id);
  }
}

void CheckV1(std::string_view body) {
  const auto ask = ParseV1Body(BodyFormat::kJson, body);
  if (!ask) {
    CheckRefusal(ask.error());
    return;
  }
  const json parsed = json::parse(body);
  if (parsed.is_null()) return;
  FUZZ_CHECK(parsed.is_object());
  const auto text = [&](const char* key) {
    const auto found = parsed.find(key);
    return found == parsed.end() || found->is_null() ? std::string() : found->get<std::string>();
  };
  FUZZ_CHECK(ask->request_id == text("request_id") && ask->delegator == text("delegator") &&
             ask->reason == text("reason"));
  FUZZ_CHECK(ask->decision.has_value() == !text("decision").empty());
  FUZZ_CHECK(!ask->decision || *ask->decision == *ParseDecision(text("decision")));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body = fuzz::AsText(data, size);
  CheckReader(body);
  CheckLegacy(body);
  CheckV1(body);
  CheckSecrecy(body);
  return 0;
}
