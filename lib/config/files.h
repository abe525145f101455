// Files as the loader sees them: a port, so that tests need no disk. And finding the configuration file.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace tw::config {

// The largest file the loader reads.
inline constexpr std::size_t kMostFileBytes = 1024 * 1024;

struct SourceText {
  std::string name;  // for messages; "-" reads as "standard input"
  std::string text;
  std::optional<unsigned> mode;  // permission bits, when it is a regular file
};

// Implementations are safe for use from any thread.
class Files {
 public:
  virtual ~Files() = default;
  // Error: kCredentials saying why it cannot be read.
  virtual Result<SourceText> Read(const std::string& path) const = 0;
  // Can it be opened for reading?
  virtual Status Readable(const std::string& path) const = 0;
};

class RealFiles final : public Files {
 public:
  Result<SourceText> Read(const std::string& path) const override;
  Status Readable(const std::string& path) const override;
};

// Where a configuration file is looked for.
struct FileSearch {
  std::string flag;      // -c; empty: not given; "-": standard input
  bool one_shot = true;  // one-shot verbs look into the working directory, the daemon does not
};

// Reads the configuration file: the flag, else $TELEPORT_WEBHOOKS_CONFIG, else ./teleport-webhooks.toml
// (one-shot verbs), else /etc/teleport-webhooks.toml. Nullopt: none named and none there. Error (kConfig):
// one is named, or is there, and cannot be read.
Result<std::optional<SourceText>> FindConfigFile(
    const FileSearch& search, const std::map<std::string, std::string>& environment,
    const std::string& system_file = "/etc/teleport-webhooks.toml");

// The environment of this process.
std::map<std::string, std::string> ProcessEnvironment();

}  // namespace tw::config
