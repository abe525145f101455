#include "receive/page.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/duration.h"
#include "base/text.h"

namespace tw::sandbox {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kHead =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Request bin</title>\n"
    "<style>body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
    "article{border-top:1px solid #ccc;padding:1em 0}h2{font-size:1em;margin:0}"
    "pre{background:#f4f4f4;padding:.7em;overflow:auto;white-space:pre-wrap;word-break:break-all}"
    ".valid{color:#176117}.invalid{color:#a11}time{color:#666}</style></head><body>\n<h1>Request bin</h1>\n";

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (const char c : EscapeControls(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// Discarded when it is no JSON, or nested so deeply that printing it, one call a level, would end the
// process.
Json ReadBody(const std::string& body) {
  constexpr int kDeepest = 200;
  bool deep = false;
  Json json = Json::parse(
      body, [&](int depth, Json::parse_event_t, const Json&) { return !(deep = deep || depth > kDeepest); },
      false);
  return deep ? Json(Json::value_t::discarded) : json;
}

// The body indented when it is JSON; line by line, so that EscapeControls leaves the line ends alone.
std::vector<std::string> BodyLines(const std::string& body) {
  std::string text = body;
  const Json json = ReadBody(body);
  if (!json.is_discarded()) text = json.dump(2, ' ', false, Json::error_handler_t::replace);
  std::vector<std::string> lines;
  for (const std::string_view line : Split(text, '\n')) lines.push_back(EscapeControls(line));
  return lines;
}

std::string VerdictLine(const Received& received) {
  if (!received.verdict) return {};
  const bool valid = *received.verdict == crypto::SignatureVerdict::kValid;
  return valid ? "signature: valid"
               : fmt::format("signature: INVALID, {}", crypto::SignatureVerdictText(*received.verdict));
}

std::string RequestLine(const Received& received) {
  return fmt::format("{} {}", received.request.method, received.request.path);
}

}  // namespace

std::string RenderPage(const std::vector<Received>& last, std::uint64_t count) {
  std::string page(kHead);
  page += fmt::format("<p>{} received; the last {} follow, newest first.</p>\n", count, last.size());
  for (const Received& received : last) {
    page += fmt::format("<article><h2>{}. {} <time>{}</time></h2>\n", received.number,
                        EscapeHtml(RequestLine(received)), FormatTime(received.when));
    if (received.verdict) {
      const bool valid = *received.verdict == crypto::SignatureVerdict::kValid;
      page += fmt::format("<p class=\"{}\">{}</p>\n", valid ? "valid" : "invalid",
                          EscapeHtml(VerdictLine(received)));
    }
    page += "<pre>";
    for (const auto& [name, value] : received.request.headers) {
      page += fmt::format("{}: {}\n", EscapeHtml(name), EscapeHtml(value));
    }
    page += "</pre>\n<pre>";
    for (const std::string& line : BodyLines(received.request.body)) page += EscapeHtml(line) + "\n";
    page += fmt::format("</pre>\n<p>answered {}</p></article>\n", received.answered);
  }
  return page + "</body></html>\n";
}

std::string RenderText(const Received& received) {
  std::string text =
      fmt::format("{}  {} HTTP/{}\n", FormatTime(received.when), EscapeControls(RequestLine(received)),
                  EscapeControls(received.request.version));
  for (const auto& [name, value] : received.request.headers) {
    text += fmt::format("{}: {}\n", EscapeControls(name), EscapeControls(value));
  }
  text += "\n";
  for (const std::string& line : BodyLines(received.request.body)) text += line + "\n";
  if (const std::string verdict = VerdictLine(received); !verdict.empty()) text += verdict + "\n";
  return text + fmt::format("answered: {}\n\n", received.answered);
}

std::string RenderJson(const Received& received) {
  Json headers = Json::object();
  for (const auto& [name, value] : received.request.headers) {
    Json& field = headers[AsciiLower(name)];
    field = field.is_string() ? field.get<std::string>() + ", " + value : value;
  }
  Json body = ReadBody(received.request.body);
  if (body.is_discarded()) body = ToValidUtf8(received.request.body);
  Json json{{"number", received.number},
            {"time", FormatTime(received.when)},
            {"method", received.request.method},
            {"path", received.request.path},
            {"headers", std::move(headers)},
            {"body", std::move(body)},
            {"valid", nullptr},
            {"answered", received.answered}};
  if (received.verdict) {
    const bool valid = *received.verdict == crypto::SignatureVerdict::kValid;
    json["valid"] = valid;
    json["signature"] =
        valid ? "valid" : fmt::format("invalid: {}", crypto::SignatureVerdictText(*received.verdict));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tw::sandbox
