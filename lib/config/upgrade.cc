#include "config/upgrade.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.h"
#include "config/hide_secrets.h"
#include "config/layers.h"
#include "config/load.h"
#include "config/setting_rules.h"
#include "config/show.h"
#include "config/text_edit.h"

namespace tw::config {
namespace {

// The original's defaults of the three files, relative to its working directory (original-plugin.md A.7).
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kTripleDefaults = {
    {{"client_key", "client.key"}, {"client_crt", "client.pem"}, {"root_cas", "cas.pem"}}};

class Upgrader {
 public:
  Upgrader(const SourceText& old, const Value& root) : old_(old), root_(root), edit_(old.text) {}

  Upgrade Run() {
    for (const Member& member : root_.members) Section(member);
    AddTripleDefaults();
    Upgrade out;
    std::stable_sort(notes_.begin(), notes_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [line, text] : notes_)
      out.notes.push_back(line > 0 ? fmt::format("line {}: {}", line, text) : std::move(text));
    out.text = Whole(edit_.Apply());
    out.shown = Whole(edit_.Apply(true));
    return out;
  }

 private:
  std::string Whole(std::string text) const {
    if (!appended_.empty()) {
      if (!text.empty() && !text.ends_with('\n')) text += '\n';
      text += appended_;
    }
    if (notes_.empty()) return text;
    return fmt::format("# Upgraded from {} by teleport-webhooks configure --from.\n{}",
                       EscapeControls(old_.name), text);
  }

  void Note(int line, std::string text) { notes_.emplace_back(line, std::move(text)); }

  bool IsInline(const Value& value) const { return value.table() && edit_.At(value.begin) == '{'; }
  // The last line that a value stands on; `end` is the place behind it.
  static int LastLine(const Value& value) {
    return value.end.column <= 1 ? value.end.line - 1 : value.end.line;
  }

  void Section(const Member& member) {
    const std::string name = GoSpelling("", "", member.key);
    const bool known = std::any_of(std::begin(kSections), std::end(kSections),
                                   [&](std::string_view section) { return section == name; });
    if (!known)
      return Remove(member, EscapeControls(name),
                    "no part of this program knows this section; the original ignored it");
    RespellHeader(member, name);
    if (name == "teleport") teleport_ = &member;
    if (member.value.table()) Keys(name, member.value, "", IsInline(member.value));
  }

  // "[HTTP.BASIC_AUTH]" repeats the section's name, whose place is known for its first occurrence only.
  void RespellHeader(const Member& member, const std::string& path) {
    const std::string_view line = edit_.Line(member.begin.line);
    const bool header = Trim(line).starts_with('[') && !Trim(line).starts_with("[[");
    const auto close = line.find(']');
    if (!header || close == std::string_view::npos) {
      if (member.key != path.substr(path.rfind('.') + 1))
        Respell(member, path.substr(path.rfind('.') + 1), path);
      return;
    }
    const auto open = line.find('[');
    const std::string_view written = line.substr(open + 1, close - open - 1);
    if (Trim(written) == path || AsciiLower(Trim(written)) != path) return;
    edit_.Replace({member.begin.line, static_cast<int>(open) + 2},
                  {member.begin.line, static_cast<int>(close) + 1}, path);
    Note(member.begin.line, fmt::format("[{}] is spelled [{}]", Trim(written), path));
  }

  void Respell(const Member& member, std::string_view name, std::string_view path) {
    Rename(member, AsciiLower(member.key), name);
    Note(member.begin.line, fmt::format("{} is spelled {} ({})", member.key, name, path));
  }

  // Lines are what can be commented out; what stands inside an inline table stays, and Load asks for it.
  void Remove(const Member& member, const std::string& path, std::string_view why, bool in_line = false) {
    if (in_line) return;
    CommentBelow(member, fmt::format("{}: {}.", path, why));
    Note(member.begin.line, fmt::format("{} is commented out: {}", path, why));
  }

  void CommentBelow(const Member& member, std::string_view why = {}) {
    const Value& value = member.value;
    const bool sections = value.list() && std::any_of(value.items.begin(), value.items.end(),
                                                      [&](const Value& item) { return IsSection(item); });
    if (!IsSection(value) && !sections) return edit_.CommentOut(member.begin.line, LastLine(value), why);
    edit_.CommentOut(member.begin.line, member.begin.line, why);
    for (const Member& inner : value.members) CommentBelow(inner);
    for (const Value& item : value.items) {
      edit_.CommentOut(item.begin.line, item.begin.line, {});
      for (const Member& inner : item.members) CommentBelow(inner);
    }
  }

  // A table that is spread over lines below a header of its own, or in dotted keys.
  bool IsSection(const Value& value) const { return value.table() && !IsInline(value); }

  void Keys(const std::string& section, const Value& table, const std::string& prefix, bool in_line) {
    for (const Member& member : table.members) {
      const std::string last = GoSpelling(section, prefix, member.key);
      const std::string name = prefix + last;
      const KeySpec* spec = FindSpec(section, name);
      const bool group = spec == nullptr && member.value.table() && HasKeysBelow(section, name);
      const bool list_section = section == "callback" && name == "caller";
      const bool file = spec == nullptr && name.ends_with("_file") &&
                        FindSpec(section, name.substr(0, name.size() - 5)) != nullptr;
      if (group) {
        RespellHeader(member, section + "." + name);
        Keys(section, member.value, name + ".", in_line || IsInline(member.value));
      } else if (spec != nullptr) {
        Key(section, name, last, member, table, in_line);
      } else if (!file && !list_section) {
        Remove(member, EscapeControls(section + "." + name),
               "no part of this program knows this key; the original ignored it", in_line);
      }
    }
  }

  static bool HasKeysBelow(const std::string& section, const std::string& name) {
    const auto specs = SpecsOf(section);
    return std::any_of(specs.begin(), specs.end(),
                       [&](const KeySpec* spec) { return spec->name.starts_with(name + "."); });
  }

  static bool Holds(const Value& table, std::string_view section, std::string_view name) {
    return std::any_of(table.members.begin(), table.members.end(),
                       [&](const Member& member) { return GoSpelling(section, "", member.key) == name; });
  }

  void Key(const std::string& section, const std::string& name, const std::string& last, const Member& member,
           const Value& table, bool in_line) {
    const std::string path = section + "." + name;
    if (path == "http.insecure")
      return Remove(member, path, "it had no effect in the original and has none here", in_line);
    if (path == "webhook.callback_secret" && IsNoSecret(member.value)) {
      return Remove(member, path,
                    "the original never read it, and it is not a webhook secret; configure --new-secret "
                    "makes one if callbacks are to be signed",
                    in_line);
    }
    if (path == "webhook.request_states" && Holds(table, section, "request_statuses")) {
      return Remove(member, path, "the original read request_statuses only, which is kept under this name",
                    in_line);
    }
    if (path == "teleport.auth_server") {
      edit_.Replace(member.begin, member.end, "addr");
      Note(member.begin.line, "teleport.auth_server is called addr, since it may name a proxy too");
    } else if (path == "webhook.request_statuses") {
      Rename(member, "request_statuses", "request_states");
      Note(member.begin.line, "webhook.request_statuses is called request_states");
    } else if (member.key != last) {
      Respell(member, last, path);
    }
    if (path == "webhook.request_states" || path == "webhook.request_statuses") States(path, member.value);
  }

  // In the dotted form, `name.Pending = true`, the name stands on each line.
  void Rename(const Member& member, std::string_view from, std::string_view to) {
    const bool header = Trim(edit_.Line(member.begin.line)).starts_with('[');
    if (!member.value.table() || IsInline(member.value) || header)
      return edit_.Replace(member.begin, member.end, std::string(to));
    for (const Member& inner : member.value.members) {
      const auto at = AsciiLower(edit_.Line(inner.begin.line)).find(from);
      const int column = static_cast<int>(at) + 1;
      if (at == std::string::npos || column >= inner.begin.column) continue;
      edit_.Replace({inner.begin.line, column}, {inner.begin.line, column + static_cast<int>(from.size())},
                    std::string(to));
    }
  }

  // Does the file name the Auth Service as the original did?
  bool OfTheOriginal() const {
    return std::any_of(root_.members.begin(), root_.members.end(), [](const Member& member) {
      return GoSpelling("", "", member.key) == "teleport" && Holds(member.value, "teleport", "auth_server");
    });
  }

  static bool IsNoSecret(const Value& value) {
    const std::string& text = value.text;
    return value.kind == Value::Kind::kText && !(text.starts_with("whsec") || text.starts_with("whsk") ||
                                                 text.starts_with("whpk") || text.starts_with("v1"));
  }

  // Today's form is a list. Names that the original ignored are errors today.
  void States(std::string_view path, const Value& value) {
    if (!value.table()) return;
    std::vector<std::string> kept;
    std::vector<std::string> dropped;
    for (const Member& member : value.members) {
      const auto state = CanonicalState(member.key);
      if (state && member.value.kind != Value::Kind::kBool) return;  // Load complains
      if (!state) {
        dropped.push_back(EscapeControls(member.key));
      } else if (member.value.boolean) {
        kept.push_back(TomlQuote(*state));
      }
    }
    if (IsInline(value)) {
      edit_.Replace(value.begin, value.end, fmt::format("[{}]", fmt::join(kept, ", ")));
      Note(value.begin.line, fmt::format("{} is a list now", path));
    } else {
      for (const Member& member : value.members) {
        if (!CanonicalState(member.key)) {
          edit_.CommentOut(member.begin.line, LastLine(member.value), "No such state.");
        }
      }
    }
    const bool pending_only = kept.size() == 1 && kept[0] == "\"Pending\"";
    if (path == "webhook.request_states" && (IsInline(value) || (OfTheOriginal() && !pending_only))) {
      Note(value.begin.line,
           "it takes effect now: the original read request_statuses only, and sent Pending");
    }
    if (!dropped.empty()) {
      Note(value.begin.line, fmt::format("{}: no such state, left out: {}", path, fmt::join(dropped, ", ")));
    }
  }

  const Member* Teleport(std::string_view name) const {
    if (teleport_ == nullptr) return nullptr;
    for (const Member& member : teleport_->value.members) {
      if (GoSpelling("teleport", "", member.key) == name) return &member;
    }
    return nullptr;
  }

  void AddTripleDefaults() {
    if (Teleport("identity") != nullptr || Teleport("identity_file") != nullptr) return;
    const bool gone = teleport_ == nullptr || (!IsInline(teleport_->value) && NothingKnown(teleport_->value));
    const bool header = teleport_ != nullptr && HeaderIs(teleport_->begin.line, "teleport");
    if (!header && !gone) return;  // Load says what is missing
    std::string lines;
    for (const auto& [key, standard] : kTripleDefaults) {
      const Member* member = Teleport(key);
      if (member != nullptr && !(member->value.kind == Value::Kind::kText && member->value.text.empty()))
        continue;
      Note(member == nullptr ? 0 : member->begin.line,
           fmt::format("teleport.{} is written out: the original took {} of its working directory", key,
                       standard));
      if (member != nullptr) {
        edit_.Replace(member->value.begin, member->value.end, TomlQuote(standard));
      } else {
        lines += fmt::format("{} = {}\n", key, TomlQuote(standard));
      }
    }
    if (lines.empty()) return;
    if (header) {
      edit_.InsertAfterLine(teleport_->begin.line, lines);
    } else {
      appended_ = "\n[teleport]\n" + lines;
    }
  }

  // All of the section is commented out.
  static bool NothingKnown(const Value& teleport) {
    return std::none_of(teleport.members.begin(), teleport.members.end(), [](const Member& member) {
      return FindSpec("teleport", GoSpelling("teleport", "", member.key)) != nullptr;
    });
  }

  bool HeaderIs(int line, std::string_view name) const {
    const std::string_view text = Trim(edit_.Line(line));
    const auto close = text.find(']');
    return text.starts_with('[') && close != std::string_view::npos &&
           AsciiLower(Trim(text.substr(1, close - 1))) == name;
  }

  const SourceText& old_;
  const Value& root_;
  TextEdit edit_;
  std::vector<std::pair<int, std::string>> notes_;
  std::string appended_;
  const Member* teleport_ = nullptr;
};

}  // namespace

Result<Upgrade> UpgradeConfig(const SourceText& given) {
  SourceText old = given;
  // The parser passes over it, places would not.
  if (old.text.starts_with(kByteOrderMark)) old.text.erase(0, kByteOrderMark.size());
  const auto document = ParseDocument(old.text);
  if (const auto* error = std::get_if<SyntaxError>(&document)) {
    return Error::Config(fmt::format("{}:{}:{}: not valid TOML: {}", EscapeControls(old.name),
                                     error->place.line, error->place.column, error->what));
  }
  Upgrade upgrade = Upgrader(old, std::get<Value>(document)).Run();
  // Two spellings of one section can clash once they are spelled alike: then the text is left to a person.
  if (std::holds_alternative<SyntaxError>(ParseDocument(upgrade.text))) {
    upgrade = {old.text, old.text, {}, {}};
    upgrade.todo.push_back(
        "nothing was changed: a section or key stands there in two spellings that mean the same; unite them, "
        "then upgrade again");
  }
  upgrade.shown = HideSecrets(upgrade.shown);
  LoadInput input;
  input.file = SourceText{"new file", upgrade.text, std::nullopt};
  const LoadResult result = LoadText(std::move(input));
  for (const Problem& problem : result.problems) upgrade.todo.push_back(problem.Text());
  for (const Problem& warning : result.warnings) upgrade.todo.push_back(warning.Text());
  return upgrade;
}

}  // namespace tw::config
