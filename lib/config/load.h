// Loading the configuration: file, environment, --set and flags become Settings, or the list of all that is
// wrong. Reads no file but those that `<key>_file` names, and those only when the rest is valid. Any thread;
// never throws.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/files.h"
#include "config/keys.h"
#include "config/report.h"
#include "config/settings.h"

namespace tw::config {

// What the settings are for: it decides which sections must be complete and which secrets are read.
enum class Purpose {
  kServe,     // everything; also for check
  kTeleport,  // approve, deny, watch: [teleport] only
  kSend,      // endpoints only
  kSendById,  // endpoints, and [teleport] to look requests up
  kNothing,   // send --url, version: values must be right, nothing must be there
};

// A flag of the command line that stands for a key.
struct Override {
  std::string key;  // "teleport.addr"
  std::string value;
  std::string flag;  // "--addr", for messages
};

enum class FileCheck {
  kSecrets,  // files of `<key>_file` that the purpose needs
  kAll,      // also that every other file which the purpose needs can be opened (credentials, certificates)
};

struct LoadInput {
  std::optional<SourceText> file;
  std::map<std::string, std::string> environment;
  std::vector<std::string> set;  // "section.key=value"
  std::vector<Override> flags;
  bool insecure_no_tls = false;
  Purpose purpose = Purpose::kServe;
  FileCheck file_check = FileCheck::kSecrets;
  const Files* files = nullptr;  // not owned; null: the real ones
  // Whether a jq program compiles; asked for those of the endpoints when the purpose is kServe. Empty: not
  // asked.
  std::function<Status(const std::string& program)> check_program;
};

// One line of --show-config.
struct ShownValue {
  std::string key;     // "webhook.timeout", "endpoint.crm.url"
  std::string value;   // as TOML; "***" for what is secret
  std::string origin;  // "teleport-webhooks.toml:12", "default", ...
};

struct LoadResult {
  std::optional<Settings> settings;  // present exactly when `problems` is empty
  std::vector<Problem> problems;
  std::vector<Problem> warnings;  // without settings only those of the environment, which may be the cause
  std::vector<ShownValue> shown;  // all keys, also when there are problems (those values that could be read)

  // All problems, one a line. kConfig as soon as one is; else kUsage; else kCredentials (files that cannot be
  // read).
  Error ToError() const;
};

LoadResult Load(const LoadInput& input);
// The same without a look at the disk: what is right or wrong about the text alone.
LoadResult LoadText(LoadInput input);

// `key = value  # origin`, one a line.
std::string RenderShown(const std::vector<ShownValue>& shown);

// Every file that the purpose needs besides the secrets, with the key that names it, e.g.
// {"teleport.client_key", path}.
std::vector<std::pair<std::string, std::string>> NamedFiles(const Settings& settings, Purpose purpose);

}  // namespace tw::config
