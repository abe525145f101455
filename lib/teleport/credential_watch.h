// CredentialWatch: says when credential files may have changed: at once through inotify (also when a symbolic
// link on the way to them is swapped, as mounted secrets do it), and every `refresh_interval` for file
// systems without it.
#pragma once

#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "config/settings.h"

namespace tw::teleport {

class CredentialWatch {
 public:
  // `on_change` runs in this object's thread, never twice at once; false positives are usual. Destruction
  // waits for it after requesting its stop token.
  CredentialWatch(std::vector<std::string> files, config::milliseconds refresh_interval,
                  std::function<void(std::stop_token)> on_change);
  ~CredentialWatch();
  CredentialWatch(const CredentialWatch&) = delete;
  CredentialWatch& operator=(const CredentialWatch&) = delete;

  // As if a change had been seen. Any thread.
  void LookNow();

 private:
  void Run(const std::stop_token& stop);
  void WatchAll();
  // Waits for a change, the interval or LookNow; false when asked to stop.
  bool AwaitChange(const std::stop_token& stop);
  bool ReadEvents();
  // Was LookNow called since the last time?
  bool Rung();
  // Lets a writer finish: files of a set are written one after the other.
  void Settle(const std::stop_token& stop);

  const std::vector<std::string> files_;
  const config::milliseconds interval_;
  const std::function<void(std::stop_token)> on_change_;
  UniqueFd bell_;
  UniqueFd inotify_;
  std::set<std::string> names_;  // entries that matter in the watched directories
  std::jthread thread_;
};

// The directories to watch for a file and the entry that matters in each: its own, and for every symbolic
// link on the way the one that holds the link.
struct WatchedEntry {
  std::string directory;
  std::string name;
  bool operator==(const WatchedEntry&) const = default;
};
std::vector<WatchedEntry> EntriesOnTheWay(const std::string& file);

}  // namespace tw::teleport
