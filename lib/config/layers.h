// Fills the drafts from the layers of a configuration: file, environment, --set, flags. Internal to the
// loader.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/draft.h"
#include "config/load.h"

namespace tw::config {

Drafts EmptyDrafts(const std::string& file);
void AddFile(const Value& root, Drafts& drafts, Report& report);
void AddEnvironment(const std::map<std::string, std::string>& environment, Drafts& drafts, Report& report);
void AddSet(const std::vector<std::string>& words, Drafts& drafts, Report& report);
void AddFlags(const std::vector<Override>& flags, Drafts& drafts, Report& report);
// The name of an original key or section in one of the spellings that the Go decoder took, else the text
// itself. `section` empty: `key` names a section. `prefix`: "basic_auth." and the like.
std::string GoSpelling(std::string_view section, std::string_view prefix, std::string_view key);

}  // namespace tw::config
