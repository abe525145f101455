#include "webhook/cloud_event.h"

#include <nlohmann/json.hpp>

namespace tw::webhook {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kHex = "0123456789ABCDEF";

// Percent-encodes what is outside `keep` and outside ASCII letters and digits.
std::string Encode(std::string_view text, bool (*keep)(unsigned char)) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (keep(byte)) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xfU];
    }
  }
  return out;
}

bool IsUnreserved(unsigned char c) {  // RFC 3986 section 2.3
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

bool IsHeaderSafe(unsigned char c) {
  return c > ' ' && c <= '~' && c != '"' && c != '%';
}

struct Parts {
  std::vector<std::pair<std::string, Json>> attributes;  // in the order they are written; text or integers
  std::string data;                                      // compact JSON
};

Result<Parts> Read(std::string_view event_json, std::optional<std::string> shaped) {
  const Json event = Json::parse(event_json, nullptr, false);
  if (!event.is_object()) return Error::Usage("not an event: it is not a JSON object");
  const auto text = [](const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto data = event.find("data");
  if (data == event.end() || !data->is_object()) return Error::Usage("not an event: \"data\" is missing");
  const std::string id = text(event, "id");
  const std::string type = text(event, "type");
  if (id.empty() || type.empty()) return Error::Usage("not an event: \"id\" or \"type\" is missing");
  Parts parts;
  const auto put = [&](const char* key, const std::string& value) {
    if (!value.empty()) parts.attributes.emplace_back(key, value);
  };
  put("specversion", "1.0");
  put("id", id);
  put("source", "/teleport/" + Encode(text(event, "cluster"), IsUnreserved));
  put("type", type);
  put("subject", text(*data, "id"));
  put("time", text(event, "timestamp"));
  // Not the extension "sequence", whose values are compared as text, over all events of a source.
  if (const auto seq = event.find("seq"); seq != event.end() && seq->is_number_integer())
    parts.attributes.emplace_back("seq", *seq);
  put("origin", text(event, "source"));
  parts.data = shaped ? *std::move(shaped) : data->dump();
  return parts;
}

}  // namespace

Result<Payload> StructuredCloudEvent(std::string_view event_json, std::optional<std::string> shaped) {
  auto parts = Read(event_json, std::move(shaped));
  if (!parts) return parts.error();
  Json out = Json::object();
  for (auto& [key, value] : parts->attributes) out[key] = std::move(value);
  out["datacontenttype"] = "application/json";
  std::string body = out.dump();
  body.pop_back();
  body += ",\"data\":" + parts->data + "}";
  return Payload{"application/cloudevents+json", {}, std::move(body)};
}

Result<Payload> BinaryCloudEvent(std::string_view event_json, std::optional<std::string> shaped) {
  auto parts = Read(event_json, std::move(shaped));
  if (!parts) return parts.error();
  Payload payload{"application/json", {}, std::move(parts->data)};
  for (const auto& [key, value] : parts->attributes)
    payload.headers.emplace_back(
        "ce-" + key, value.is_string() ? Encode(value.get<std::string>(), IsHeaderSafe) : value.dump());
  return payload;
}

}  // namespace tw::webhook
