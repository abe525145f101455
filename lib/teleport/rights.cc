#include "teleport/rights.h"

#include <algorithm>
#include <string_view>

#include "teleport/decode.h"

namespace tw::teleport {
namespace {

template <class Texts>
bool Names(const Texts& texts, std::string_view wanted) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const std::string& text) { return text == wanted || text == "*"; });
}

bool Covers(const types::Rule& rule, std::string_view verb) {
  return Names(rule.resources(), kAccessRequestKind) && Names(rule.verbs(), verb);
}

bool Allows(const std::vector<types::RoleV6>& roles, std::string_view verb) {
  bool allowed = false;
  for (const types::RoleV6& role : roles) {
    for (const types::Rule& rule : role.spec().deny().rules()) {
      if (Covers(rule, verb)) return false;
    }
    for (const types::Rule& rule : role.spec().allow().rules()) {
      allowed = allowed || (rule.where().empty() && Covers(rule, verb));
    }
  }
  return allowed;
}

bool AllowsReviews(const std::vector<types::RoleV6>& roles) {
  bool allowed = false;
  for (const types::RoleV6& role : roles) {
    if (Names(role.spec().deny().reviewrequests().roles(), "*")) return false;
    const types::AccessReviewConditions& review = role.spec().allow().reviewrequests();
    allowed = allowed || review.roles_size() > 0 || review.claimstoroles_size() > 0;
  }
  return allowed;
}

}  // namespace

access::OwnRights RightsOf(const std::vector<types::RoleV6>& roles) {
  access::OwnRights out;
  out.list = Allows(roles, "list");
  out.read = Allows(roles, "read");
  out.update = Allows(roles, "update");
  out.review = AllowsReviews(roles);
  for (const types::RoleV6& role : roles) out.roles.push_back(role.metadata().name());
  return out;
}

}  // namespace tw::teleport
