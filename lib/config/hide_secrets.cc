#include "config/hide_secrets.h"

#include <variant>

#include "base/secret.h"
#include "base/url.h"
#include "config/keys.h"
#include "config/layers.h"
#include "config/text_edit.h"

namespace tw::config {
namespace {

class Hiding {
 public:
  explicit Hiding(std::string_view text) : edit_(text) {}

  std::string Run(const Value& root) {
    for (const Member& member : root.members) {
      const std::string section = GoSpelling("", "", member.key);
      if (member.value.table()) Table(section, member.value, "");
      for (const Value& item : member.value.items) Table(section, item, "");
    }
    return edit_.Apply();
  }

 private:
  void Table(const std::string& section, const Value& table, const std::string& prefix) {
    for (const Member& member : table.members) {
      const std::string name = prefix + GoSpelling(section, prefix, member.key);
      const KeySpec* spec = FindSpec(section, name);
      if (spec != nullptr && spec->has_file()) {
        Hide(*spec, member.value);
      } else if (section == "callback" && name == "caller") {
        for (const Value& item : member.value.items) Table("callback.caller", item, "");
      } else if (spec == nullptr && member.value.table()) {
        Table(section, member.value, name + ".");
      }
    }
  }

  void Hide(const KeySpec& spec, const Value& value) {
    if (value.table() && edit_.At(value.begin) != '{') {
      for (const Member& member : value.members) Hide(spec, member.value);
    } else if (spec.secret() || HoldsSecret(spec, value.text)) {
      edit_.Replace(value.begin, value.end, std::string(kHidden));
    }
  }

  static bool HoldsSecret(const KeySpec& spec, std::string_view text) {
    if (text.find('@') != std::string_view::npos) return true;
    if (spec.type != ValueType::kUrl) return false;
    const auto url = ParseUrl(text);
    return !url || url->Redacted().find(kHidden) != std::string::npos;
  }

  TextEdit edit_;
};

}  // namespace

std::string HideSecrets(const std::string& text) {
  const auto document = ParseDocument(text);
  const auto* root = std::get_if<Value>(&document);
  return root == nullptr ? std::string() : Hiding(text).Run(*root);
}

}  // namespace tw::config
