#include "config/layers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/setting.h"

namespace tw::config {
namespace {

constexpr std::string_view kPrefix = kEnvironmentPrefix;

// Finds the row of a key, also through "<key>_file" and an alias.
struct Row {
  const KeySpec* spec = nullptr;
  bool in_file = false;
};

Row FindRow(std::string_view section, std::string_view name) {
  if (const KeySpec* spec = FindSpec(section, name)) {
    return {spec->alias_of.empty() ? spec : FindSpec(section, spec->alias_of), false};
  }
  constexpr std::string_view kSuffix = "_file";
  if (!name.ends_with(kSuffix)) return {};
  const KeySpec* spec = FindSpec(section, name.substr(0, name.size() - kSuffix.size()));
  return spec != nullptr && spec->has_file() ? Row{spec, true} : Row{};
}

const KeySpec kPathOfFile{.section = {}, .name = {}, .type = ValueType::kPath};

// The address and the text of a value as the original understood "": not set.
bool CountsAsUnset(const KeySpec& spec, const std::string& text) {
  const bool text_like = spec.type != ValueType::kBool && spec.type != ValueType::kStates;
  return text.empty() && text_like && (spec.original() || spec.name == "addr");
}

bool RefusesEmpty(const Row& row) {
  const ValueType type = row.spec->type;
  return row.in_file || type == ValueType::kText || type == ValueType::kPath || type == ValueType::kSecret ||
         type == ValueType::kUrl || type == ValueType::kProxyUrl;
}

struct Given {
  Row row;
  std::string written;
  Origin origin;
};

void Take(Draft& draft, const Given& given, Parsed parsed, Report& report) {
  const std::string key = draft.label + "." + given.written;
  if (auto* complaint = std::get_if<Complaint>(&parsed)) {
    draft.broken.insert(given.row.spec->name);
    Place place = complaint->place.line > 0 ? complaint->place : given.origin.place;
    std::string where = given.origin.text;
    if (given.origin.layer == Layer::kFile && place.line > 0)
      where = where.substr(0, where.rfind(':') + 1) + std::to_string(place.line);
    report.problems.push_back({where, key, std::move(complaint->what), std::move(complaint->hint),
                               KindOf(given.origin.layer), place});
    return;
  }
  Assigned assigned{given.row.spec, given.written,     std::get<Setting>(std::move(parsed)),
                    given.origin,   given.row.in_file, {}};
  if (given.row.in_file) assigned.path = assigned.value.text;
  assigned.value.origin = fmt::format("{}: {}", given.origin.text, key);
  draft.Assign(std::move(assigned), report);
}

// A secret where the path of its file belongs would be shown as a path is.
Parsed ParsePathOfFile(std::string_view key, const Value& value) {
  if (value.kind != Value::Kind::kText) {
    return Complaint{fmt::format("expected path, found {}", KindName(value.kind)),
                     fmt::format("write {} = \"...\"", key), value.begin};
  }
  // Characters after the prefix; file names are shorter, or have a dot.
  constexpr std::size_t kLongEnough = 24;
  std::string_view text = value.text;
  for (const std::string_view label : {"v1,", "v1a,"}) {
    if (text.starts_with(label)) text.remove_prefix(label.size());
  }
  const auto under = text.find('_');
  const std::string_view prefix = text.substr(0, under);
  const bool secret = (prefix == "whsec" || prefix == "whsk") && text.size() - under > kLongEnough &&
                      text.find('.') == std::string_view::npos;
  if (!secret) return ParseSetting(kPathOfFile, value);
  return Complaint{
      "holds a secret, where the path of a file belongs",
      fmt::format("put the secret into a file and name that, or write {} (a path is also known by its ./)",
                  key.substr(0, key.size() - std::string_view("_file").size())),
      {}};
}

// ---- file -----------------------------------------------------------------------------------------------

class FileReader {
 public:
  FileReader(Drafts& drafts, Report& report) : drafts_(drafts), report_(report) {}

  void Root(const Value& root) {
    for (const Member& member : root.members) TopLevel(member);
    ExplainUnknown();
  }

 private:
  struct Unknown {
    std::string key;  // "webhook.tiemout"; a section by its name alone
    std::string_view what;
    std::string hint;
    Place place;
  };

  Origin At(Place place) const {
    return {Layer::kFile, fmt::format("{}:{}", drafts_.file, place.line), place};
  }

  void Problem(Place place, std::string key, std::string what, std::string hint) {
    report_.problems.push_back(
        {At(place).text, std::move(key), std::move(what), std::move(hint), ErrorKind::kConfig, place});
  }

  void TopLevel(const Member& member) {
    const std::string name = GoSpelling("", "", member.key);
    if (name == "endpoint") {
      drafts_.knows_new_keys = true;
      return ListSection(member, "endpoint", drafts_.endpoints);
    }
    const auto section = drafts_.sections.find(name);
    if (section == drafts_.sections.end()) {
      return unknown_.push_back(
          {EscapeControls(member.key), "unknown section or key", SuggestSection(member.key), member.begin});
    }
    if (!member.value.table()) {
      drafts_.unread.insert(section->first);
      return Problem(member.begin, name,
                     fmt::format("must be a section, not {}", KindName(member.value.kind)),
                     fmt::format("write [{}]", name));
    }
    section->second.origin = At(member.begin);
    NoteSection(name);
    Section(section->second, member.value, "");
  }

  void NoteSection(std::string_view name) {
    if (name != "teleport" && name != "webhook" && name != "http" && name != "log")
      drafts_.knows_new_keys = true;
  }

  void ListSection(const Member& member, std::string_view section, std::vector<Draft>& drafts) {
    const auto shape = [&](Place place) {
      drafts_.unread.insert(section);
      Problem(place, std::string(section), "must be a list of sections",
              fmt::format("write [[{}]] above each", section));
    };
    if (!member.value.list()) return shape(member.begin);
    for (const Value& item : member.value.items) {
      if (!item.table()) return shape(item.begin);
      Draft draft;
      draft.section = section;
      draft.label = fmt::format("{}[{}]", section, drafts.size() + 1);
      draft.origin = At(item.begin);
      for (const Member& inner : item.members) {
        if (inner.key == "name" && inner.value.kind == Value::Kind::kText && !inner.value.text.empty()) {
          draft.label = fmt::format("{}.{}", section, EscapeControls(inner.value.text));
        }
      }
      Section(draft, item, "");
      drafts.push_back(std::move(draft));
    }
  }

  void Section(Draft& draft, const Value& table, const std::string& prefix) {
    for (const Member& member : table.members) {
      const std::string name = prefix + GoSpelling(draft.section, prefix, member.key);
      if (draft.section == "callback" && name == "caller") {
        ListSection(member, "callback.caller", drafts_.callers);
        continue;
      }
      const Row row = FindRow(draft.section, name);
      const std::string below = row.spec == nullptr ? FirstKeyBelow(draft.section, name) : std::string();
      if (!below.empty() && member.value.table()) {
        Section(draft, member.value, name + ".");
      } else if (!below.empty()) {
        Problem(member.begin, draft.label + "." + name,
                fmt::format("must be a table, not {}", KindName(member.value.kind)),
                fmt::format("write its keys one by one, e.g. {} = ...", below));
      } else if (row.spec == nullptr) {
        unknown_.push_back({draft.label + "." + EscapeControls(prefix + member.key), "unknown key",
                            SuggestKey(draft, prefix + member.key), member.begin});
      } else {
        Key(draft, row, name, member);
      }
    }
  }

  void Key(Draft& draft, const Row& row, const std::string& name, const Member& member) {
    const KeySpec* written = FindSpec(draft.section, name);
    if (written == nullptr || !written->original()) drafts_.knows_new_keys = true;
    const Given given{row, name, At(member.begin)};
    if (member.value.kind == Value::Kind::kText && member.value.text.empty()) {
      if (!row.in_file && CountsAsUnset(*row.spec, member.value.text)) return;
      if (RefusesEmpty(row)) {
        return Take(draft, given, Complaint{"is empty", "give a value, or leave the key out", {}}, report_);
      }
    }
    Parsed parsed = row.in_file ? ParsePathOfFile(name, member.value) : ParseSetting(*row.spec, member.value);
    if (auto* complaint = std::get_if<Complaint>(&parsed);
        complaint != nullptr && row.spec->type == ValueType::kStates && member.value.table() &&
        complaint->what.starts_with("unknown state")) {
      complaint->hint += fmt::format(
          "; the original ignored such a name, and teleport-webhooks configure --from {} writes a copy "
          "without it",
          drafts_.file);
    }
    Take(draft, given, std::move(parsed), report_);
  }

  static std::string FirstKeyBelow(std::string_view section, const std::string& name) {
    for (const KeySpec* spec : SpecsOf(section)) {
      if (spec->name.starts_with(name + ".")) return std::string(spec->name);
    }
    return {};
  }

  // Told last, when it is known whether the file is one of the original's.
  void ExplainUnknown() {
    for (Unknown& key : unknown_) {
      std::string what(key.what);
      if (!drafts_.knows_new_keys) {
        what += " (the original ignored it silently)";
        if (!key.hint.empty()) key.hint += "; ";
        key.hint +=
            fmt::format("teleport-webhooks configure --from {} writes a copy without it", drafts_.file);
      }
      Problem(key.place, key.key, std::move(what), key.hint.empty() ? "remove it" : key.hint);
    }
  }

  // What was probably meant. That part then counts as given, so that nobody is told that it is missing.
  std::string SuggestSection(const std::string& name) {
    for (const std::string_view section : kSections) {
      if (FindSpec(section, name) != nullptr) return BelongsInto(section, name);
    }
    std::vector<std::string_view> near(std::begin(kSections), std::end(kSections));
    near.emplace_back("caller");
    std::string nearest = Nearest(name, near);
    if (nearest.empty()) return {};
    if (nearest == "caller") nearest = "callback.caller";
    NoteSection(nearest);
    drafts_.unread.insert(*std::find(std::begin(kSections), std::end(kSections), nearest));
    return fmt::format("did you mean {}?", nearest);
  }

  std::string SuggestKey(Draft& draft, const std::string& name) {
    std::vector<std::string> names;
    for (const KeySpec* spec : SpecsOf(draft.section)) {
      if (!spec->alias_of.empty()) continue;
      names.emplace_back(spec->name);
      if (spec->has_file()) names.push_back(names.back() + "_file");
    }
    const auto longer = [](std::string_view text, std::string_view end) {
      return text.size() > end.size() && text.ends_with(end) &&
             std::string_view("_.").find(text[text.size() - end.size() - 1]) != std::string_view::npos;
    };
    if (draft.section == "callback") names.emplace_back("caller");
    const std::vector<std::string_view> near(names.begin(), names.end());
    if (const std::string nearest = Nearest(name, near); !nearest.empty()) return Meant(draft, nearest);
    for (const std::string& known : names) {
      if (longer(known, name) || longer(name, known)) return Meant(draft, known);
    }
    for (const std::string_view section : kSections) {
      if (section != draft.section && FindSpec(section, name) != nullptr) return BelongsInto(section, name);
    }
    return {};
  }

  std::string Meant(Draft& draft, std::string_view name) {
    const Row row = FindRow(draft.section, name);
    if (row.spec == nullptr) {
      drafts_.unread.insert("callback.caller");
      return "did you mean [[callback.caller]]?";
    }
    draft.broken.insert(row.spec->name);
    if (!row.spec->original()) drafts_.knows_new_keys = true;
    return fmt::format("did you mean {}?", name);
  }

  std::string BelongsInto(std::string_view section, const std::string& name) {
    const auto draft = drafts_.sections.find(section);
    if (draft != drafts_.sections.end()) draft->second.broken.insert(FindRow(section, name).spec->name);
    return fmt::format("{} belongs into [{}]", name, section);
  }

  Drafts& drafts_;
  Report& report_;
  std::vector<Unknown> unknown_;
};

// ---- environment, --set, flags --------------------------------------------------------------------------

void TakeText(Drafts& drafts, std::string_view section, std::string_view name, const std::string& text,
              Origin origin, Report& report) {
  const Row row = FindRow(section, name);
  Draft& draft = drafts.At(section);
  const Given given{row, std::string(name), std::move(origin)};
  if (text.empty() && RefusesEmpty(row)) {
    return Take(draft, given, Complaint{"is empty", "give a value", {}}, report);
  }
  Take(draft, given,
       row.in_file ? ParsePathOfFile(name, Value{.kind = Value::Kind::kText,
                                                 .begin = {},
                                                 .end = {},
                                                 .text = text,
                                                 .items = {},
                                                 .members = {}})
                   : ParseSettingText(*row.spec, text),
       report);
}

// Kubernetes sets such variables for a service of this name; they are none of ours.
bool IsServiceLink(std::string_view name) {
  const std::string_view rest = name.substr(kPrefix.size());
  return rest.starts_with("SERVICE_") || rest == "PORT" || rest.starts_with("PORT_");
}

bool HasUserInfo(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  return url.substr(0, url.find_first_of("/?#")).find('@') != std::string_view::npos;
}

void AddOne(Drafts& drafts, const std::string& key, const std::string& value, const Origin& origin,
            Report& report) {
  const auto fail = [&](std::string what, std::string hint) {
    report.problems.push_back(
        {origin.text, EscapeControls(key), std::move(what), std::move(hint), KindOf(origin.layer), {}});
  };
  const auto keys = Keys();
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const KeyInfo& info) { return info.FullName() == key; });
  if (found == keys.end()) {
    std::vector<std::string> names;
    for (const KeyInfo& info : keys) {
      if (info.settable) names.push_back(info.FullName());
    }
    const std::vector<std::string_view> views(names.begin(), names.end());
    const std::string nearest = Nearest(key, views);
    return fail("unknown key", nearest.empty() ? "write section.key, e.g. log.severity"
                                               : fmt::format("did you mean {}?", nearest));
  }
  if (found->list_section)
    return fail("cannot be set here, since there may be several", "write it in the configuration file");
  if (found->secret) {
    const std::string variable = found->environment.empty()
                                     ? std::string()
                                     : fmt::format(", or the environment variable {}", found->environment);
    return fail("is a secret, and other users can read a command line",
                fmt::format("use {}_file{}", key, variable));
  }
  const KeySpec* spec = FindSpec(found->section, found->key);
  if (spec != nullptr && spec->has_file() && HasUserInfo(value)) {
    return fail("holds a password, and other users can read a command line", fmt::format("use {}_file", key));
  }
  TakeText(drafts, found->section, found->key, value, origin, report);
}

}  // namespace

std::string GoSpelling(std::string_view section, std::string_view prefix, std::string_view key) {
  const auto any = [&](char from, char to) {
    return std::any_of(key.begin(), key.end(), [&](char c) { return c >= from && c <= to; });
  };
  if (!any('A', 'Z')) return std::string(key);
  const std::string lower = AsciiLower(key);
  const auto original = [&] {
    if (section.empty())
      return lower == "teleport" || lower == "webhook" || lower == "http" || lower == "log";
    if (section == "http" && prefix.empty() && (lower == "basic_auth" || lower == "tls")) return true;
    const KeySpec* spec = FindSpec(section, std::string(prefix) + lower);
    return spec != nullptr && spec->original() && section != "endpoint";
  };
  // "Insecure" was a field without a tag, so its own name counted too.
  const bool untagged = section == "http" && key == "Insecure";
  return (!any('a', 'z') || untagged) && original() ? lower : std::string(key);
}

Drafts EmptyDrafts(const std::string& file) {
  Drafts drafts;
  drafts.file = file;
  for (const std::string_view section : kSections) {
    if (section == "endpoint" || section == "callback.caller") continue;
    Draft draft;
    draft.section = section;
    draft.label = section;
    draft.origin.text = file;
    drafts.sections.emplace(section, std::move(draft));
  }
  return drafts;
}

void AddFile(const Value& root, Drafts& drafts, Report& report) {
  FileReader(drafts, report).Root(root);
}

void AddEnvironment(const std::map<std::string, std::string>& environment, Drafts& drafts, Report& report) {
  std::vector<std::string> known = {std::string(kPrefix) + "CONFIG"};
  for (const KeyInfo& info : Keys()) {
    if (info.environment.empty()) continue;
    known.push_back(info.environment);
    const auto found = environment.find(info.environment);
    // An empty variable counts as none: that is how service managers and containers leave one out.
    if (found == environment.end() || found->second.empty()) continue;
    TakeText(drafts, info.section, info.key, found->second, {Layer::kEnvironment, info.environment, {}},
             report);
  }
  const std::vector<std::string_view> views(known.begin(), known.end());
  for (auto entry = environment.lower_bound(std::string(kPrefix));
       entry != environment.end() && entry->first.starts_with(kPrefix); ++entry) {
    if (std::find(known.begin(), known.end(), entry->first) != known.end() || IsServiceLink(entry->first))
      continue;
    const std::string nearest = Nearest(entry->first, views);
    report.warnings.push_back({EscapeControls(entry->first),
                               "",
                               "this environment variable has no meaning here",
                               nearest.empty() ? "" : fmt::format("did you mean {}?", nearest),
                               ErrorKind::kConfig,
                               {}});
  }
}

void AddSet(const std::vector<std::string>& words, Drafts& drafts, Report& report) {
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    const std::string key = word.substr(0, equals);
    if (equals == std::string::npos) {
      report.problems.push_back({"--set",
                                 EscapeControls(key),
                                 "has no value",
                                 "write --set section.key=value",
                                 ErrorKind::kUsage,
                                 {}});
      continue;
    }
    AddOne(drafts, key, word.substr(equals + 1), {Layer::kSet, "--set", {}}, report);
  }
}

void AddFlags(const std::vector<Override>& flags, Drafts& drafts, Report& report) {
  for (const Override& flag : flags)
    AddOne(drafts, flag.key, flag.value, {Layer::kFlag, flag.flag, {}}, report);
}

}  // namespace tw::config
