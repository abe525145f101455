#include "callback/route.h"

#include <gtest/gtest.h>

#include "callback/pattern.h"

namespace tw::callback {
namespace {

TEST(Route, FindsEachRoute) {
  EXPECT_EQ(FindRoute("POST", "/").kind, RouteKind::kLegacy);
  EXPECT_EQ(FindRoute("POST", "/?x=1").kind, RouteKind::kLegacy);
  EXPECT_EQ(FindRoute("POST", "https://hooks.example.com").kind, RouteKind::kLegacy);
  EXPECT_EQ(FindRoute("POST", "http://hooks.example.com/v1/requests/a/approve").kind, RouteKind::kApprove);
  EXPECT_EQ(FindRoute("POST", "http://hooks.example.com?/v1/requests/a/approve").kind, RouteKind::kLegacy);
  EXPECT_EQ(FindRoute("POST", "/v1/requests/a/deny").kind, RouteKind::kDeny);
  EXPECT_EQ(FindRoute("GET", "/v1/requests/a").kind, RouteKind::kShow);
  EXPECT_EQ(FindRoute("HEAD", "/v1/requests/a?b#c").kind, RouteKind::kShow);
  EXPECT_EQ(FindRoute("GET", "/status").kind, RouteKind::kStatus);
  EXPECT_EQ(FindRoute("POST", "/v1/requests/0192%2De1c4/approve").request_id, "0192-e1c4");
}

TEST(Route, KnowsNothingElse) {
  for (const char* target : {"", "*", "//", "/v1", "/v1/requests", "/v1/requests/a/",
                             "/v1/requests/a/approve/", "/v1/requests/a/b/approve", "/V1/requests/a",
                             "/status/", "/..", "/v1/../", "/v1/requests/a/Approve"}) {
    EXPECT_EQ(FindRoute("POST", target).kind, RouteKind::kUnknown) << target;
  }
}

TEST(Route, TellsWhichMethodsAreAllowed) {
  for (const char* method : {"PUT", "DELETE", "OPTIONS", "TRACE", "post", ""}) {
    EXPECT_EQ(FindRoute(method, "/").kind, RouteKind::kMethod) << method;
    EXPECT_EQ(FindRoute(method, "/").allow, "POST");
    EXPECT_EQ(FindRoute(method, "/status").allow, "GET, HEAD");
  }
}

TEST(UsableId, IsPrintableTextOfReasonableLength) {
  EXPECT_TRUE(UsableId("0192e1c4-aaaa-bbbb-cccc-000000000000"));
  EXPECT_TRUE(UsableId(std::string(256, 'a')));
  for (const std::string& id : {std::string(), std::string(257, 'a'), std::string("a\0b", 3),
                                std::string("a\nb"), std::string("a/b"), std::string("\xff")}) {
    EXPECT_FALSE(UsableId(id));
  }
}

TEST(Pattern, MatchesExactlyOrWithStars) {
  EXPECT_TRUE(MatchesPattern("dba", "dba"));
  EXPECT_FALSE(MatchesPattern("dba", "DBA"));
  EXPECT_FALSE(MatchesPattern("dba", "dba2"));
  EXPECT_TRUE(MatchesPattern("*", ""));
  EXPECT_TRUE(MatchesPattern("dev-*-ro", "dev-a-ro-b-ro"));
  EXPECT_FALSE(MatchesPattern("dev-*-ro", "dev-ro"));
  EXPECT_FALSE(MatchesPattern("", "x"));
  EXPECT_FALSE(MatchesPattern("d?a", "dba"));
  EXPECT_FALSE(MatchesPattern(std::string(50, '*') + "b", std::string(5000, 'a')));
}

}  // namespace
}  // namespace tw::callback
