#include "config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "config/layers.h"
#include "config/setting.h"
#include "config/show.h"
#include "config/validate.h"

namespace tw::config {
namespace {

constexpr unsigned kOthersRead = 0004;
constexpr unsigned kGroupOrOthersRead = 0044;

// The disk has no part in what is right about a text.
class NoFiles final : public Files {
 public:
  Result<SourceText> Read(const std::string&) const override {
    return Error{ErrorKind::kCredentials, {}, {}, false};
  }
  Status Readable(const std::string&) const override { return {}; }
};

class Loader {
 public:
  explicit Loader(const LoadInput& input)
      : input_(input),
        files_(input.files == nullptr ? real_files_ : *input.files),
        drafts_(EmptyDrafts(FileName(input))) {}

  LoadResult Run() {
    LoadResult result;
    Collect();
    // What a text that could not be parsed lacks is unknown.
    if (parsed_) Settle(drafts_, report_);
    const Report before = report_;
    if (parsed_) {
      Validate(drafts_, input_, report_);
      CheckPrograms();
    }
    if (report_.problems.empty()) {
      ReadSecrets();
      // The rules again, now with the secrets that lie in files of their own.
      std::vector<Problem> of_files = std::exchange(report_.problems, {});
      report_ = before;
      Validate(drafts_, input_, report_);
      std::move(file_warnings_.begin(), file_warnings_.end(), std::back_inserter(report_.warnings));
      std::move(of_files.begin(), of_files.end(), std::back_inserter(report_.problems));
      result.settings = Bind();
      if (input_.file_check == FileCheck::kAll && OnlyUnreadable()) CheckNamedFiles(*result.settings);
    }
    report_.Sort();
    result.shown = Show(drafts_);
    result.problems = std::move(report_.problems);
    result.warnings = std::move(report_.warnings);
    if (!result.problems.empty()) {
      result.settings.reset();
      std::erase_if(result.warnings, [](const Problem& warning) {
        return !warning.where.starts_with(kEnvironmentPrefix) || !warning.key.empty();
      });
    }
    return result;
  }

 private:
  static std::string FileName(const LoadInput& input) {
    return input.file ? EscapeControls(input.file->name) : std::string();
  }

  void Collect() {
    if (input_.file) AddText(*input_.file);
    AddEnvironment(input_.environment, drafts_, report_);
    AddSet(input_.set, drafts_, report_);
    AddFlags(input_.flags, drafts_, report_);
    AddStateDirectory();
    WarnOfReaders();
  }

  void AddText(const SourceText& source) {
    auto document = ParseDocument(source.text);
    if (const auto* error = std::get_if<SyntaxError>(&document)) {
      std::string hint;
      if (error->what.find("value type") != std::string::npos)
        hint = "text stands in quotes: key = \"value\"";
      if (error->what.find("string: unescaped control characters") != std::string::npos)
        hint = "is the quote missing that ends the text?";
      report_.problems.push_back(
          {fmt::format("{}:{}:{}", drafts_.file, error->place.line, error->place.column), "",
           "not valid TOML: " + error->what, hint, ErrorKind::kConfig, error->place});
      parsed_ = false;
      return;
    }
    AddFile(std::get<Value>(document), drafts_, report_);
  }

  void CheckPrograms() {
    if (!input_.check_program || input_.purpose != Purpose::kServe) return;
    const auto check = [&](const Draft& draft) {
      for (const std::string_view key : {"when", "transform"}) {
        const Setting* program = draft.Known(key);
        if (program == nullptr) continue;
        if (const Status fine = input_.check_program(program->text); !fine)
          report_.problems.push_back(draft.Complain(key, fine.error().message, fine.error().hint));
      }
    };
    if (drafts_.At("webhook").Has("webhook_url")) check(drafts_.At("webhook"));
    for (const Draft& endpoint : drafts_.endpoints) check(endpoint);
  }

  // systemd names the directory that it made for the unit; several are separated by colons.
  void AddStateDirectory() {
    Draft& state = drafts_.At("state");
    const auto found = input_.environment.find("STATE_DIRECTORY");
    if (state.Has("dir") || found == input_.environment.end() || found->second.empty()) return;
    Assigned assigned;
    assigned.spec = FindSpec("state", "dir");
    assigned.written = "dir";
    assigned.value.text = found->second.substr(0, found->second.find(':'));
    assigned.origin = {Layer::kDefault, "STATE_DIRECTORY", {}};
    state.Assign(std::move(assigned), report_);
  }

  template <class Visit>
  void EachDraft(Visit visit) {
    for (auto& [name, draft] : drafts_.sections) visit(draft);
    for (Draft& draft : drafts_.endpoints) visit(draft);
    for (Draft& draft : drafts_.callers) visit(draft);
  }

  void WarnOfReaders() {
    if (!input_.file || !input_.file->mode || (*input_.file->mode & kOthersRead) == 0) return;
    std::string holder;
    EachDraft([&](const Draft& draft) {
      for (const auto& [name, assigned] : draft.values) {
        const bool literal = assigned.origin.layer == Layer::kFile && !assigned.in_file;
        if (literal && assigned.spec->secret() && holder.empty())
          holder = fmt::format("{}.{}", draft.label, name);
      }
    });
    if (holder.empty()) return;
    report_.warnings.push_back(
        {drafts_.file,
         "",
         fmt::format("holds secrets ({}), and every user of this machine may read it", holder),
         fmt::format("chmod o-r {}", drafts_.file),
         ErrorKind::kConfig,
         {}});
  }

  bool Needed(const Draft& draft, const Assigned& assigned) const {
    if (draft.section == "teleport") return NeedsTeleport(input_.purpose);
    const bool delivery = draft.section == "endpoint" ||
                          (draft.section == "webhook" && assigned.spec->name != "callback_secret");
    if (delivery) return NeedsEndpoints(input_.purpose);
    return input_.purpose == Purpose::kServe && !drafts_.At("webhook").True("notify_only");
  }

  void ReadSecrets() {
    EachDraft([&](Draft& draft) {
      for (auto& [name, assigned] : draft.values) {
        if (assigned.in_file && Needed(draft, assigned)) ReadSecret(draft, assigned);
      }
    });
  }

  void ReadSecret(const Draft& draft, Assigned& assigned) {
    const auto complain = [&](std::string what, std::string hint, ErrorKind kind) {
      return Problem{
          assigned.origin.text, draft.label + "." + assigned.written, std::move(what), std::move(hint), kind,
          assigned.origin.place};
    };
    const auto file = files_.Read(assigned.path);
    if (!file) {
      report_.problems.push_back(complain(file.error().message, file.error().hint, ErrorKind::kCredentials));
      return;
    }
    if (file->mode && (*file->mode & kGroupOrOthersRead) != 0 && !FromServiceManager(assigned.path)) {
      file_warnings_.push_back(
          complain(fmt::format("{} may be read by others", EscapeControls(assigned.path)),
                   fmt::format("chmod 600 {}", EscapeControls(assigned.path)), ErrorKind::kConfig));
    }
    Parsed parsed = ParseSettingFile(*assigned.spec, file->text);
    if (auto* complaint = std::get_if<Complaint>(&parsed)) {
      report_.problems.push_back(
          complain(fmt::format("{}: {}", EscapeControls(assigned.path), complaint->what), complaint->hint,
                   ErrorKind::kConfig));
      return;
    }
    assigned.value = std::get<Setting>(std::move(parsed));
    assigned.in_file = false;
  }

  // systemd's credentials carry an access list, which shows as readable by the group.
  bool FromServiceManager(const std::string& path) const {
    const auto found = input_.environment.find("CREDENTIALS_DIRECTORY");
    return found != input_.environment.end() && !found->second.empty() &&
           path.starts_with(found->second + "/");
  }

  static void Store(const Draft& draft, Sink sink) {
    for (const auto& [name, assigned] : draft.values) {
      if (!assigned.in_file) assigned.spec->store(sink, assigned.value);
    }
  }

  Settings Bind() {
    Settings settings;
    settings.origin = drafts_.file;
    settings.http.no_tls = input_.insecure_no_tls;
    EndpointSettings standard;
    for (const auto& [name, draft] : drafts_.sections) Store(draft, {&settings, &standard, nullptr});
    if (NeedsEndpoints(input_.purpose)) {
      if (drafts_.At("webhook").Has("webhook_url")) settings.endpoints.push_back(std::move(standard));
      for (const Draft& draft : drafts_.endpoints) {
        Store(draft, {&settings, &settings.endpoints.emplace_back(), nullptr});
      }
    }
    for (const Draft& draft : drafts_.callers) {
      Store(draft, {&settings, nullptr, &settings.callback.callers.emplace_back()});
    }
    return settings;
  }

  bool OnlyUnreadable() const {
    return std::all_of(report_.problems.begin(), report_.problems.end(),
                       [](const Problem& problem) { return problem.kind == ErrorKind::kCredentials; });
  }

  void CheckNamedFiles(const Settings& settings) {
    const auto shown = Show(drafts_);
    for (const auto& [key, path] : NamedFiles(settings, input_.purpose)) {
      const Status readable = files_.Readable(path);
      if (readable) continue;
      const auto line = std::find_if(shown.begin(), shown.end(), [&wanted = key](const ShownValue& value) {
        return value.key == wanted;
      });
      report_.problems.push_back({line == shown.end() ? drafts_.file : line->origin,
                                  key,
                                  readable.error().message,
                                  readable.error().hint,
                                  ErrorKind::kCredentials,
                                  {}});
    }
  }

  const LoadInput& input_;
  const RealFiles real_files_;
  const Files& files_;
  Drafts drafts_;
  bool parsed_ = true;
  Report report_;
  std::vector<Problem> file_warnings_;
};

}  // namespace

LoadResult Load(const LoadInput& input) {
  try {
    return Loader(input).Run();
  } catch (const std::exception& error) {
    LoadResult result;
    result.problems.push_back({input.file ? EscapeControls(input.file->name) : std::string(),
                               "",
                               error.what(),
                               {},
                               ErrorKind::kConfig,
                               {}});
    return result;
  }
}

LoadResult LoadText(LoadInput input) {
  const NoFiles files;
  input.files = &files;
  LoadResult result = Load(input);
  std::erase_if(result.problems,
                [](const Problem& problem) { return problem.kind == ErrorKind::kCredentials; });
  return result;
}

Error LoadResult::ToError() const {
  const auto any = [&](ErrorKind kind) {
    return std::any_of(problems.begin(), problems.end(),
                       [&](const Problem& problem) { return problem.kind == kind; });
  };
  Error error;
  error.kind = any(ErrorKind::kConfig)  ? ErrorKind::kConfig
               : any(ErrorKind::kUsage) ? ErrorKind::kUsage
                                        : ErrorKind::kCredentials;
  for (const Problem& problem : problems) {
    if (!error.message.empty()) error.message += '\n';
    error.message += problem.Text();
  }
  return error;
}

std::vector<std::pair<std::string, std::string>> NamedFiles(const Settings& settings, Purpose purpose) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto add = [&](std::string key, const std::string& path) {
    if (!path.empty()) out.emplace_back(std::move(key), path);
  };
  if (NeedsTeleport(purpose)) {
    add("teleport.client_key", settings.teleport.client_key);
    add("teleport.client_crt", settings.teleport.client_crt);
    add("teleport.root_cas", settings.teleport.root_cas);
    add("teleport.identity", settings.teleport.identity);
  }
  for (const EndpointSettings& endpoint : settings.endpoints) {
    const std::string section = endpoint.name == "default" ? "webhook" : "endpoint." + endpoint.name;
    add(section + ".ca_file", endpoint.ca_file);
    add(section + ".cert_file", endpoint.cert_file);
    add(section + ".key_file", endpoint.key_file);
  }
  if (purpose == Purpose::kServe && !settings.notify_only) {
    if (!settings.http.no_tls) {
      add("http.https_key_file", settings.http.https_key_file);
      add("http.https_cert_file", settings.http.https_cert_file);
    }
    add("http.tls.client_ca_file", settings.http.client_ca_file);
  }
  return out;
}

}  // namespace tw::config
