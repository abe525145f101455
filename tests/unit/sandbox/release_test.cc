// What each release serves, names and texts.
#include "model/release.h"

#include <gtest/gtest.h>

#include "base/pattern.h"
#include "model/refusal.h"
#include "model/request.h"
#include "model/rights.h"

namespace tw::sandbox {
namespace {

TEST(Release, ListsRequestsTheWayItsTimeDid) {
  struct Row {
    Release release;
    bool unary, streamed, paged;
  };
  for (const Row& row : {Row{Release::k6, true, false, false}, Row{Release::k8, true, true, false},
                         Row{Release::k12, true, true, false}, Row{Release::k13, false, true, false},
                         Row{Release::k16, false, true, true}, Row{Release::k18, false, true, true}}) {
    EXPECT_EQ(HasMethod(row.release, "GetAccessRequests"), row.unary) << static_cast<int>(row.release);
    EXPECT_EQ(HasMethod(row.release, "GetAccessRequestsV2"), row.streamed) << static_cast<int>(row.release);
    EXPECT_EQ(HasMethod(row.release, "ListAccessRequests"), row.paged) << static_cast<int>(row.release);
  }
}

TEST(Release, AlwaysServesOneWayToCreate) {
  for (const char* text : {"6", "8", "12", "13", "16", "18"}) {
    const Release release = *ParseRelease(text);
    EXPECT_NE(HasMethod(release, "CreateAccessRequest"), HasMethod(release, "CreateAccessRequestV2")) << text;
    EXPECT_EQ(ServerVersion(release).substr(0, std::string_view(text).size()), text);
  }
}

TEST(Release, RefusesNumbersItDoesNotSpeakFor) {
  EXPECT_FALSE(ParseRelease("7").has_value());
  EXPECT_FALSE(ParseRelease("").has_value());
  EXPECT_FALSE(HasMethod(Release::k18, "DropTables"));
}

TEST(Code, ReadsNamesInAnyCaseWithEitherDash) {
  Code code = Code::kOk;
  ASSERT_TRUE(ParseCode("INVALID_ARGUMENT", code));
  EXPECT_EQ(code, Code::kInvalidArgument);
  EXPECT_FALSE(ParseCode("nope", code));
}

TEST(Resource, ReadsTheTextFormOfTheCommandLines) {
  const auto pod = ParseResource("/example.com/pod/minikube/default/web-1");
  ASSERT_TRUE(pod.has_value());
  EXPECT_EQ(pod->sub_resource, "default/web-1");
  EXPECT_EQ(pod->Text(), "/example.com/pod/minikube/default/web-1");
  for (const char* bad : {"", "node", "/example.com/node", "//node/x", "example.com/node/x"}) {
    EXPECT_FALSE(ParseResource(bad).has_value()) << bad;
  }
}

TEST(Pattern, LetsAStarStandForAnything) {
  EXPECT_TRUE(MatchesPattern("dev-*", "dev-db"));
  EXPECT_TRUE(MatchesPattern("*", ""));
  EXPECT_TRUE(MatchesPattern("a*b*c", "axxbyybc"));
  EXPECT_FALSE(MatchesPattern("dev-*", "prod-db"));
  EXPECT_FALSE(MatchesPattern("a*b", "ab-"));
}

}  // namespace
}  // namespace tw::sandbox
