#include "model/rights.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/pattern.h"

namespace tw::sandbox {
namespace {

Rights RightsOf(std::string role, std::set<std::string> verbs) {
  Rights rights;
  rights.role = std::move(role);
  rights.verbs = std::move(verbs);
  return rights;
}

Rights Requester() {
  Rights rights = RightsOf("requester", {});
  // dba and admin, and the names that the recordings of real clusters ask for.
  rights.requestable = {"access-plugin", "admin", "dba", "plugin-notify"};
  return rights;
}

const std::set<std::string, std::less<>> kVerbs{"list", "read", "create", "update", "delete", "*"};

bool Contains(const std::set<std::string>& verbs, std::string_view verb) {
  return verbs.contains(std::string(verb)) || verbs.contains("*");
}

}  // namespace

bool Rights::Allows(std::string_view verb) const {
  return Contains(verbs, verb) && !Contains(denied, verb);
}

bool Rights::AllowsPluginData(std::string_view verb) const {
  return Contains(plugin_data, verb);
}

bool Rights::MayReview(const std::vector<std::string>& roles) const {
  if (review_roles.empty()) return false;
  return std::ranges::all_of(roles, [this](const std::string& wanted) {
    return std::ranges::any_of(review_roles, [&](const std::string& p) { return MatchesPattern(p, wanted); });
  });
}

UserDirectory::UserDirectory(Release release) {
  Rights plugin = RightsOf("plugin", {"list", "read", "update", "delete"});
  plugin.plugin_data = {"list", "read", "update"};
  Rights reviewer = RightsOf("reviewer", {"list", "read"});
  if (KnowsReviewRules(release)) {
    plugin.review_roles = {"*"};
    reviewer.review_roles = {"*"};
  }
  users_ = {{"plugin", plugin},
            {"reviewer", reviewer},
            {"notify", RightsOf("notify", {"list", "read"})},
            {"nobody", RightsOf("nobody", {})},
            {"alice", Requester()},
            {"bob", Requester()}};
}

std::optional<Rights> UserDirectory::Find(const std::string& user) const {
  std::lock_guard lock(mutex_);
  const auto found = users_.find(user);
  if (found == users_.end()) return std::nullopt;
  return found->second;
}

std::optional<Rights> UserDirectory::FindRole(const std::string& role) const {
  std::lock_guard lock(mutex_);
  for (const auto& [name, rights] : users_) {
    if (rights.role == role) return rights;
  }
  return std::nullopt;
}

std::vector<std::string> UserDirectory::Users() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, rights] : users_) names.push_back(name);
  return names;
}

Answer<void> UserDirectory::SetRights(const std::string& user, const std::vector<std::string>& words) {
  Rights rights;
  for (const std::string& word : words) {
    const std::string verb = word.starts_with('!') ? word.substr(1) : word;
    if (word == "review") {
      rights.review_roles = {"*"};
    } else if (word.starts_with("review:")) {
      rights.review_roles.push_back(word.substr(7));
    } else if (word == "plugin-data") {
      rights.plugin_data = {"list", "read", "update"};
    } else if (kVerbs.contains(verb)) {
      (word.starts_with('!') ? rights.denied : rights.verbs).insert(verb);
    } else {
      return BadArgument(fmt::format(
          "unknown right \"{}\"; known: list, read, create, update, delete, *, !VERB, review, review:ROLE, "
          "plugin-data",
          word));
    }
  }
  std::lock_guard lock(mutex_);
  Rights& stored = users_[user];
  rights.role = stored.role.empty() ? user : stored.role;
  rights.requestable = stored.requestable;
  rights.suggested = stored.suggested;
  stored = std::move(rights);
  return {};
}

}  // namespace tw::sandbox
