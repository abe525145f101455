// The configuration while it is being put together: which key got which value from where. Internal to the
// loader.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/keys.h"
#include "config/report.h"

namespace tw::config {

// Later layers win.
enum class Layer { kDefault, kFile, kEnvironment, kSet, kFlag };

struct Origin {
  Layer layer = Layer::kDefault;
  std::string text;  // "teleport-webhooks.toml:12", "TELEPORT_WEBHOOKS_LOG_SEVERITY", "--set", "--addr"
  Place place;
};

struct Assigned {
  const KeySpec* spec = nullptr;  // never an alias
  std::string written;            // as it was named: "auth_server", "secret_file"
  Setting value;                  // value.text is a path while `in_file`
  Origin origin;
  bool in_file = false;  // the value has yet to be read from the file value.text
  std::string path;      // the file it was read from
};

// One section, or one element of a list of sections.
struct Draft {
  std::string section;  // "webhook", "endpoint"
  std::string label;    // "webhook", "endpoint.crm", "endpoint[2]"
  Origin origin;        // where it begins
  std::map<std::string_view, Assigned> values;
  std::set<std::string_view> broken;  // keys whose value could not be taken, or that were probably meant

  const Assigned* Find(std::string_view name) const;
  // Given, even if with a value that could not be taken: that is complained about already.
  bool Has(std::string_view name) const { return Find(name) != nullptr || broken.contains(name); }
  // The value given, else the default of the key table.
  Setting Get(std::string_view name) const;
  // A value of the file that is already known (not one that still lies in a file of its own).
  const Setting* Known(std::string_view name) const;
  bool True(std::string_view name) const { return Get(name).number != 0; }
  // True when the value was taken; a second value of the same layer is a problem.
  bool Assign(Assigned assigned, Report& report);

  Problem Complain(std::string_view name, std::string what, std::string hint) const;
};

struct Drafts {
  std::string file;                            // name of the file for messages
  std::map<std::string_view, Draft> sections;  // all of kSections that are no lists
  std::vector<Draft> endpoints;
  std::vector<Draft> callers;
  bool knows_new_keys = false;  // the file uses a key that the original did not have
  // Sections of which the file probably holds a part that was not understood: their absence is no news.
  std::set<std::string_view> unread;

  Draft& At(std::string_view section) { return sections.find(section)->second; }
  const Draft& At(std::string_view section) const { return sections.find(section)->second; }
};

ErrorKind KindOf(Layer layer);

}  // namespace tw::config
