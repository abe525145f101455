#include "config/show.h"

#include <fmt/format.h>

#include "base/secret.h"
#include "base/text.h"
#include "base/url.h"

namespace tw::config {
namespace {

std::string List(const std::vector<std::string>& texts, bool hidden) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts)
    quoted.push_back(TomlQuote(hidden ? kHidden : std::string_view(text)));
  return fmt::format("[{}]", fmt::join(quoted, ", "));
}

std::string Headers(const Setting& setting) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : setting.pairs)
    parts.push_back(fmt::format("{} = {}", TomlQuote(name), TomlQuote(kHidden)));
  return fmt::format("{{ {} }}", fmt::join(parts, ", "));
}

std::string Render(const KeySpec& spec, const Setting& setting) {
  switch (spec.type) {
    case ValueType::kBool:
      return setting.number != 0 ? "true" : "false";
    case ValueType::kInteger:
      return std::to_string(setting.number);
    case ValueType::kSecret:
      return TomlQuote(kHidden);
    case ValueType::kUrl:
    case ValueType::kProxyUrl: {
      const auto url = ParseUrl(setting.text);
      return TomlQuote(!url                           ? std::string(kHidden)
                       : spec.type == ValueType::kUrl ? url->Redacted()
                                                      : url->Origin());
    }
    case ValueType::kDelegator:
      if (setting.number == static_cast<int>(DelegatorSource::kFixed))
        return TomlQuote("fixed:" + setting.text);
      return setting.number == static_cast<int>(DelegatorSource::kAuth) ? "\"auth\"" : "\"body\"";
    case ValueType::kListen:
      return TomlQuote(setting.text.empty() ? "off" : setting.text);
    case ValueType::kTexts:
    case ValueType::kNetworks:
    case ValueType::kDecisions:
    case ValueType::kEvents:
    case ValueType::kStates:
      return List(setting.texts, false);
    case ValueType::kSecrets:
      return List(setting.texts, true);
    case ValueType::kHeaders:
      return Headers(setting);
    default:
      return TomlQuote(setting.text);
  }
}

// The default of a list is written as TOML already.
std::string RenderDefault(const KeySpec& spec) {
  const bool bare =
      spec.standard.starts_with('[') || spec.type == ValueType::kBool || spec.type == ValueType::kInteger;
  return bare ? std::string(spec.standard) : TomlQuote(spec.standard);
}

void ShowDraft(const Draft& draft, bool defaults, std::vector<ShownValue>& out) {
  for (const KeySpec* spec : SpecsOf(draft.section)) {
    const Assigned* assigned = draft.Find(spec->name);
    std::string key = fmt::format("{}.{}", draft.label, spec->name);
    if (assigned == nullptr) {
      if (defaults && !spec->standard.empty())
        out.push_back({std::move(key), RenderDefault(*spec), "default"});
    } else if (!assigned->path.empty()) {
      out.push_back({key + "_file", TomlQuote(assigned->path), assigned->origin.text});
    } else {
      out.push_back({std::move(key), Render(*spec, assigned->value), assigned->origin.text});
    }
  }
}

}  // namespace

std::string TomlQuote(std::string_view text) {
  std::string out = "\"";
  for (const char c : ToValidUtf8(text)) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if ((c >= 0 && c < ' ') || c == 0x7f) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::vector<ShownValue> Show(const Drafts& drafts) {
  std::vector<ShownValue> out;
  for (const std::string_view section : kSections) {
    if (section == "endpoint") {
      for (const Draft& draft : drafts.endpoints) ShowDraft(draft, false, out);
    } else if (section == "callback.caller") {
      for (const Draft& draft : drafts.callers) ShowDraft(draft, false, out);
    } else {
      ShowDraft(drafts.At(section), true, out);
    }
  }
  return out;
}

std::string RenderShown(const std::vector<ShownValue>& shown) {
  std::string out;
  for (const ShownValue& value : shown)
    out += fmt::format("{} = {}  # {}\n", value.key, EscapeControls(value.value), value.origin);
  return out;
}

}  // namespace tw::config
