// Who may do what: the sandbox's users, their one role each, and what can be changed while it runs.
// Facts: reference page sections 4.4 and 6.1.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/refusal.h"
#include "model/release.h"

namespace tw::sandbox {

struct Rights {
  std::string role;                       // name of the role that carries these rights
  std::set<std::string> verbs;            // on access_request
  std::set<std::string> denied;           // deny rules on access_request
  std::set<std::string> plugin_data;      // verbs on access_plugin_data
  std::vector<std::string> review_roles;  // patterns with '*'; empty: may not review
  std::vector<std::string> requestable;   // roles the user may ask for
  std::vector<std::string> suggested;     // reviewers suggested to the user

  bool Allows(std::string_view verb) const;
  bool AllowsPluginData(std::string_view verb) const;
  bool SeesAll() const { return Allows("list") && Allows("read"); }
  bool MayReview(const std::vector<std::string>& roles) const;
};

// All members are safe for use from any thread.
class UserDirectory {
 public:
  explicit UserDirectory(Release release);

  // Nullopt: no such user.
  std::optional<Rights> Find(const std::string& user) const;
  // The user who holds the role of that name.
  std::optional<Rights> FindRole(const std::string& role) const;
  std::vector<std::string> Users() const;

  // Replaces a user's rights by a list such as {"list", "read", "update", "delete", "review", "plugin-data",
  // "!list"} ("!" = deny rule). What the user may request stays. An unknown user is added.
  Answer<void> SetRights(const std::string& user, const std::vector<std::string>& words);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Rights> users_;
};

}  // namespace tw::sandbox
