#include "config/keys.h"

#include <algorithm>

namespace tw::config {
namespace {

bool ListSection(std::string_view section) {
  return section == "endpoint" || section == "callback.caller";
}

bool StandsIn(const KeySpec& spec, std::string_view section) {
  return spec.section == section ||
         (spec.section == "delivery" && (section == "webhook" || section == "endpoint"));
}

KeyInfo Describe(const KeySpec& spec, std::string_view section) {
  KeyInfo info;
  info.section = section;
  info.key = spec.name;
  info.type = TypeName(spec.type);
  info.standard = spec.standard;
  info.help = spec.help;
  info.original = spec.original() && section != "endpoint";
  info.secret = spec.secret();
  info.list_section = ListSection(section);
  info.settable = spec.scalar() && !spec.secret() && !info.list_section;
  if (spec.detail.find('|') != std::string_view::npos) info.choices = spec.detail;
  if (spec.scalar() && !info.list_section) info.environment = EnvironmentName(section, spec.name);
  return info;
}

KeyInfo FileVariant(KeyInfo info) {
  if (!info.list_section) info.environment = EnvironmentName(info.section, info.key + "_file");
  info.settable = !info.list_section;
  info.help = "file that holds " + info.key;
  info.key += "_file";
  info.type = TypeName(ValueType::kPath);
  info.standard.clear();
  info.original = false;
  info.secret = false;
  info.file_variant = true;
  return info;
}

}  // namespace

std::vector<const KeySpec*> SpecsOf(std::string_view section) {
  std::vector<const KeySpec*> out;
  for (const KeySpec& spec : AllSpecs()) {
    if (StandsIn(spec, section)) out.push_back(&spec);
  }
  return out;
}

const KeySpec* FindSpec(std::string_view section, std::string_view name) {
  for (const KeySpec& spec : AllSpecs()) {
    if (spec.name == name && StandsIn(spec, section)) return &spec;
  }
  return nullptr;
}

std::vector<KeyInfo> Keys() {
  std::vector<KeyInfo> out;
  for (const std::string_view section : kSections) {
    for (const KeySpec* spec : SpecsOf(section)) {
      out.push_back(Describe(*spec, section));
      if (spec->has_file()) out.push_back(FileVariant(out.back()));
    }
  }
  return out;
}

std::string EnvironmentName(std::string_view section, std::string_view name) {
  std::string out(kEnvironmentPrefix);
  out.append(section).append("_").append(name);
  for (char& c : out) {
    if (c == '.' || c == '-') c = '_';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string_view TypeName(ValueType type) {
  switch (type) {
    case ValueType::kText:
    case ValueType::kDelegator:
    case ValueType::kName:
    case ValueType::kChoice:
    case ValueType::kSeverity:
      return "text";
    case ValueType::kPath:
      return "path";
    case ValueType::kSecret:
      return "secret";
    case ValueType::kBool:
      return "true or false";
    case ValueType::kInteger:
      return "number";
    case ValueType::kDuration:
      return "duration";
    case ValueType::kSize:
      return "size";
    case ValueType::kRate:
      return "rate";
    case ValueType::kUrl:
    case ValueType::kProxyUrl:
      return "URL";
    case ValueType::kPublicAddr:
      return "URL or host";
    case ValueType::kAddress:
    case ValueType::kListen:
      return "address";
    case ValueType::kLogOutput:
      return "stderr, stdout or path";
    case ValueType::kProgram:
      return "jq program";
    case ValueType::kTexts:
    case ValueType::kNetworks:
    case ValueType::kDecisions:
    case ValueType::kEvents:
      return "list of text";
    case ValueType::kStates:
      return "list of text, or table of true and false";
    case ValueType::kSecrets:
      return "list of secrets";
    case ValueType::kHeaders:
      return "table of text";
  }
  return "text";
}

}  // namespace tw::config
