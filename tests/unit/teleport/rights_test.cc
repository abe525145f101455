#include "teleport/rights.h"

#include <gtest/gtest.h>

namespace tw::teleport {
namespace {

types::Rule Rule(std::vector<std::string> resources, std::vector<std::string> verbs,
                 const std::string& where = {}) {
  types::Rule rule;
  for (const auto& one : resources) rule.add_resources(one);
  for (const auto& one : verbs) rule.add_verbs(one);
  rule.set_where(where);
  return rule;
}

types::RoleV6 Role(const std::string& name, const types::Rule& allow) {
  types::RoleV6 role;
  role.mutable_metadata()->set_name(name);
  *role.mutable_spec()->mutable_allow()->add_rules() = allow;
  return role;
}

TEST(RightsOf, FindsTheVerbsOfOneRule) {
  const auto rights = RightsOf({Role("notify", Rule({"access_request"}, {"list", "read"}))});
  EXPECT_TRUE(rights.list && rights.read);
  EXPECT_FALSE(rights.update || rights.review);
  EXPECT_EQ(rights.roles, std::vector<std::string>{"notify"});
}

TEST(RightsOf, KnowsWildcardsInResourcesAndVerbs) {
  const auto rights = RightsOf({Role("admin", Rule({"*"}, {"*"}))});
  EXPECT_TRUE(rights.list && rights.read && rights.update);
  EXPECT_FALSE(RightsOf({Role("other", Rule({"user"}, {"*"}))}).list);
}

TEST(RightsOf, LetsADenialInAnyRoleWin) {
  types::RoleV6 deny;
  *deny.mutable_spec()->mutable_deny()->add_rules() = Rule({"access_request"}, {"update"});
  const auto rights = RightsOf({Role("all", Rule({"*"}, {"*"})), deny});
  EXPECT_TRUE(rights.list && rights.read);
  EXPECT_FALSE(rights.update);
}

TEST(RightsOf, DoesNotCountOnConditionalRules) {
  EXPECT_FALSE(
      RightsOf({Role("some", Rule({"access_request"}, {"list"}, "contains(user.spec.roles, \"x\")"))}).list);
}

TEST(RightsOf, SeesReviewRightsUnlessTheyAreDeniedAltogether) {
  types::RoleV6 reviewer;
  reviewer.mutable_spec()->mutable_allow()->mutable_reviewrequests()->add_roles("dev-*");
  EXPECT_TRUE(RightsOf({reviewer}).review);
  types::RoleV6 deny;
  deny.mutable_spec()->mutable_deny()->mutable_reviewrequests()->add_roles("*");
  EXPECT_FALSE(RightsOf({reviewer, deny}).review);
}

}  // namespace
}  // namespace tw::teleport
