#include "access/watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "unit/access/watcher_harness.h"

namespace tw::access {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Watcher, ReportsPendingRequestsOfANewStoreAsSnapshotAndRecordsResolvedOnesSilently) {
  WatcherHarness h;
  h.teleport.Create("a");
  h.teleport.Create("b");
  h.teleport.SetStateDirectly("b", RequestState::kApproved);
  h.RunUntilIdle();
  EXPECT_THAT(h.Told(), ElementsAre("a created snapshot"));
  EXPECT_TRUE(h.book.Find("b")->has_value());
}

TEST(Watcher, RecordsEverythingSilentlyWhenTheFirstStartAsksForNothing) {
  WatcherHarness h;
  h.teleport.Create("a");
  h.RunUntilIdle({}, 1, SnapshotPolicy::kNone);
  EXPECT_THAT(h.Told(), IsEmpty());
  h.teleport.SetStateDirectly("a", RequestState::kDenied);
  h.RunUntilIdle();
  EXPECT_THAT(h.Told(), ElementsAre("a denied resync"));
  EXPECT_FALSE(h.sink.events[0].previous_state.has_value());
}

TEST(Watcher, FollowsWhatAFirstStartThatWasCutShortHadRecorded) {
  for (const SnapshotPolicy policy : {SnapshotPolicy::kPending, SnapshotPolicy::kNone}) {
    WatcherHarness h;
    h.teleport.Create("a");
    h.teleport.FailNext("Rights", StreamEnd("UNAVAILABLE"));
    h.teleport.DuringNextList([&] {
      h.teleport.SetStateDirectly("a", RequestState::kApproved);
      h.teleport.Create("b");
    });
    h.RunUntilIdle({}, 1, policy);
    if (policy == SnapshotPolicy::kPending) {
      EXPECT_THAT(h.Told(), ElementsAre("a created snapshot", "a approved resync", "b created snapshot"));
    } else {
      EXPECT_THAT(h.Told(), ElementsAre("a approved resync"));
    }
  }
}

TEST(Watcher, FollowsChangesWithTypesAndCounters) {
  WatcherHarness h;
  h.RunUntilIdle(
      [&](int idle) {
        if (idle != 0) return;
        h.teleport.Create("a");
        h.teleport.AddReview("a", "carol", RequestState::kApproved);
        h.teleport.Touch("a");
        h.teleport.SetStateDirectly("a", RequestState::kApproved, "on call");
        h.teleport.Delete("a");
      },
      2);
  EXPECT_THAT(h.Told(),
              ElementsAre("a created watch", "a reviewed watch", "a approved watch", "a deleted watch"));
  EXPECT_EQ(h.sink.events[2].seq, 3);
  EXPECT_EQ(h.sink.events[2].previous_state, RequestState::kPending);
  EXPECT_EQ(h.sink.events[2].request.resolve_reason, "on call");
  EXPECT_EQ(h.sink.events[3].request.user, "alice") << "a deletion carries the last known content";
  EXPECT_EQ(h.sink.events[0].web_url, "https://proxy.example.com/web/requests/a");
}

TEST(Watcher, CallsARemovalNearTheEndOfTheRequestsLifeExpired) {
  WatcherHarness h;
  h.RunUntilIdle(
      [&](int idle) {
        if (idle == 0) h.teleport.Create("a"), h.teleport.Create("b");
        if (idle == 1) h.clock.Advance(std::chrono::minutes(58)), h.teleport.Delete("a");
        if (idle == 2) h.clock.Advance(std::chrono::seconds(70)), h.teleport.Delete("b");
      },
      4);
  EXPECT_THAT(h.Told(),
              ElementsAre("a created watch", "b created watch", "a deleted watch", "b expired watch"));
}

TEST(Watcher, ReportsADeletionOfARequestItNeverSawWithItsIdOnly) {
  WatcherHarness h;
  h.RunUntilIdle(
      [&](int idle) {
        if (idle == 0) h.teleport.Delete("ghost");
      },
      2);
  EXPECT_THAT(h.Told(), ElementsAre("ghost deleted watch"));
  EXPECT_FALSE(h.sink.events[0].content_known);
  EXPECT_EQ(h.sink.events[0].web_url, "") << "there is nothing to look at";
}

TEST(Watcher, ReportsAfterARestartWhatItMissed) {
  WatcherHarness h;
  h.teleport.Create("a");
  h.teleport.Create("b");
  h.RunUntilIdle();
  h.sink.events.clear();
  h.teleport.SetStateDirectly("a", RequestState::kApproved);
  h.teleport.Delete("b");
  h.teleport.Create("c");
  h.RunUntilIdle();
  EXPECT_THAT(h.Told(), ElementsAre("a approved resync", "c created resync", "b deleted resync"));
  EXPECT_EQ(h.observer.recovered, 3U);
}

TEST(Watcher, ReportsManyRemovalsInCommitsOfTheUsualSize) {
  WatcherHarness h;
  for (int i = 0; i < 1200; ++i) h.teleport.Create(std::to_string(i));
  h.RunUntilIdle();
  h.sink.events.clear();
  for (int i = 0; i < 1200; ++i) h.teleport.Delete(std::to_string(i));
  h.RunUntilIdle();
  EXPECT_EQ(h.sink.events.size(), 1200U);
  EXPECT_LE(h.sink.largest, WatcherOptions().batch);
}

TEST(Watcher, NeverTurnsAMissingListRightIntoDeletions) {
  WatcherHarness h;
  h.teleport.Create("a");
  h.RunUntilIdle();
  h.sink.events.clear();
  h.teleport.Delete("a");
  h.teleport.rights->list = false;
  h.RunUntilIdle();
  EXPECT_THAT(h.Told(), IsEmpty());
  EXPECT_THAT(h.observer.impaired, ElementsAre("role lacks list on access_request"));
  EXPECT_FALSE(h.book.Find("a")->value().gone);
}

TEST(Watcher, EmitsNoDeletionsWhenTheRightIsLostWhileItLooks) {
  WatcherHarness h;
  h.teleport.Create("a");
  h.RunUntilIdle();
  h.sink.events.clear();
  h.teleport.Delete("a");
  h.teleport.OnGet([&] { h.teleport.rights->list = false; });
  h.RunUntilIdle();
  EXPECT_THAT(h.Told(), IsEmpty());
  EXPECT_FALSE(h.book.Find("a")->value().gone);
  EXPECT_THAT(h.observer.impaired, ElementsAre("role lacks list on access_request"));
}

TEST(Watcher, NoticesThatAMissingRightWasGivenAndOnlyThenEndsTheFirstStart) {
  WatcherHarness h;
  h.teleport.FreezeList();
  h.teleport.Create("a");
  h.teleport.Create("b");
  h.teleport.SetStateDirectly("b", RequestState::kDenied);
  h.teleport.rights->list = false;
  h.RunUntilIdle(
      [&](int idle) {
        if (idle != 3) return;
        h.teleport.ThawList();
        h.teleport.rights->list = true;
      },
      130);  // 65 s of fake time
  EXPECT_THAT(h.Told(), ElementsAre("a created snapshot"));
  EXPECT_TRUE(h.book.Find("b")->has_value());
  EXPECT_THAT(h.observer.impaired, ElementsAre("role lacks list on access_request", ""));
  EXPECT_EQ(h.teleport.calls("List"), 2) << "no more often than the rights are better";
}

TEST(Watcher, TakesANonEmptyListAsTheSignOfTheRightWhereItCannotAsk) {
  WatcherHarness h;
  h.teleport.rights.reset();
  h.teleport.Create("a");
  h.teleport.Create("b");
  h.RunUntilIdle();
  h.teleport.Delete("a");
  h.RunUntilIdle();
  EXPECT_EQ(h.Told().back(), "a deleted resync");
  h.teleport.Delete("b");
  h.RunUntilIdle();
  EXPECT_EQ(h.Told().back(), "a deleted resync") << "an empty list proves nothing";
}

TEST(Watcher, KeepsARequestThatTheListLacksButALookUpFinds) {
  WatcherHarness h;
  h.teleport.Create("a");
  h.RunUntilIdle();
  h.teleport.HideFromList("a");
  h.RunUntilIdle();
  EXPECT_THAT(h.Told(), ElementsAre("a created snapshot"));
}

TEST(Watcher, TakesWhatTheLookUpOfAnAbsentRequestSays) {
  WatcherHarness h;
  h.teleport.Create("a");
  h.RunUntilIdle();
  h.teleport.HideFromList("a");
  h.teleport.SetStateDirectly("a", RequestState::kDenied);
  h.RunUntilIdle();
  EXPECT_THAT(h.Told(), ElementsAre("a created snapshot", "a denied resync"));
}

TEST(Watcher, LooksUpWhenTheListIsAheadOfTheStream) {
  WatcherHarness h;
  h.teleport.Create("a");
  h.RunUntilIdle();
  h.sink.events.clear();
  // A review and the approval are both in the list and, later, in the stream: the review must not be told
  // after it.
  h.teleport.FailNext("Watch", StreamEnd("UNAVAILABLE"));
  bool changed = false;
  h.RunUntilIdle(
      [&](int) {
        if (std::exchange(changed, true)) return;
        AccessRequest stale = *h.teleport.Find("a");
        stale.reviews.push_back({"carol", RequestState::kApproved, "", {}, std::nullopt, std::nullopt, {}});
        h.teleport.SetStateDirectly("a", RequestState::kApproved);
        h.teleport.Announce({ChangeKind::kPut, stale});
      },
      3);
  EXPECT_THAT(h.Told(), ElementsAre("a approved watch"));
}

TEST(Watcher, BelievesADeletionOnTheStreamOverAListThatLags) {
  WatcherHarness h;
  h.teleport.Create("a");
  h.RunUntilIdle();
  h.teleport.FreezeList();
  h.teleport.Delete("a");
  int round = 0;
  h.RunUntilIdle(
      [&](int) {
        if (round++ == 0)
          h.teleport.Announce({ChangeKind::kDelete, [] {
                                 AccessRequest r;
                                 r.id = "a";
                                 return r;
                               }()});
        if (round == 2) h.teleport.EndStream(StreamEnd("UNKNOWN"));
      },
      4);
  EXPECT_THAT(h.Told(), ElementsAre("a created snapshot", "a deleted watch"));
}

TEST(Watcher, DoesNotStepBackWhenTheListShowsAnOlderState) {
  WatcherHarness h;
  h.teleport.Create("a");
  h.RunUntilIdle();
  h.teleport.FreezeList();
  h.RunUntilIdle(
      [&](int idle) {
        if (idle == 0) h.teleport.SetStateDirectly("a", RequestState::kDenied);
        if (idle == 1) h.teleport.EndStream(StreamEnd("UNKNOWN"));
      },
      4);
  EXPECT_THAT(h.Told(), ElementsAre("a created snapshot", "a denied watch"));
}

TEST(Watcher, DoesNotStepBackWhenTheListShowsFewerReviews) {
  WatcherHarness h;
  h.teleport.Create("a");
  h.RunUntilIdle();
  h.teleport.FreezeList();
  h.RunUntilIdle(
      [&](int idle) {
        if (idle == 0) h.teleport.AddReview("a", "carol", RequestState::kApproved);
        if (idle == 1) h.teleport.EndStream(StreamEnd("UNKNOWN"));
      },
      4);
  EXPECT_THAT(h.Told(), ElementsAre("a created snapshot", "a reviewed watch"));
  EXPECT_EQ(h.book.Find("a")->value().content.reviews.size(), 1U);
}

TEST(Watcher, DoesNotTellOlderEventsOfTheStreamAfterALookUpThatWasAhead) {
  WatcherHarness h;
  h.teleport.Create("a");
  h.RunUntilIdle();
  h.sink.events.clear();
  h.teleport.DuringNextList([&] {
    for (const char* author : {"carol", "dave", "erin"})
      h.teleport.AddReview("a", author, RequestState::kApproved);
  });
  h.RunUntilIdle();
  EXPECT_THAT(h.Told(), ElementsAre("a reviewed watch"));
  EXPECT_EQ(h.sink.events[0].request.reviews.size(), 3U);
}

// Some backends tell the end of a request's life on the stream as a number of seconds from now.
TEST(Watcher, TakesAnotherExpiryOfTheSameWriteForNoChange) {
  for (const bool by_revision : {true, false}) {
    WatcherHarness h;
    h.RunUntilIdle(
        [&](int idle) {
          if (idle == 1) h.teleport.EndStream(StreamEnd("UNAVAILABLE"));
          if (idle != 0) return;
          AccessRequest request;
          request.id = "a";
          request.state = RequestState::kPending;
          request.expires = h.clock.Now() + std::chrono::hours(1);
          (by_revision ? request.revision = "7" : request.login_hint = "x");
          request.metadata_id = by_revision ? 0 : 7;
          h.teleport.Put(request, false);
          *request.expires += std::chrono::milliseconds(730);
          h.teleport.Announce({ChangeKind::kPut, request});
        },
        4);
    EXPECT_THAT(h.Told(), ElementsAre("a created watch"));
    AccessRequest moved = *h.teleport.Find("a");
    *moved.expires += std::chrono::hours(1);
    moved.revision = "8";
    h.teleport.Put(moved, false);
    h.RunUntilIdle();
    EXPECT_THAT(h.Told(), ElementsAre("a created watch", "a updated resync")) << "another write";
  }
}

TEST(Watcher, BelievesTheStreamWhereALookUpFindsNothing) {
  WatcherHarness h;
  AccessRequest request;
  request.id = "a";
  request.state = RequestState::kPending;
  h.RunUntilIdle(
      [&](int idle) {
        if (idle == 0) h.teleport.Announce({ChangeKind::kPut, request});
        request.suggested_reviewers = {"carol"};
        if (idle == 1) h.teleport.Announce({ChangeKind::kPut, request});
      },
      3);
  EXPECT_THAT(h.Told(), ElementsAre("a created watch", "a updated watch"));
}

TEST(Watcher, ReportsADenialThatOverridesAnApproval) {
  WatcherHarness h;
  h.RunUntilIdle(
      [&](int idle) {
        if (idle != 0) return;
        h.teleport.Create("a");
        h.teleport.SetStateDirectly("a", RequestState::kApproved);
        h.teleport.SetStateDirectly("a", RequestState::kDenied);
      },
      2);
  EXPECT_THAT(h.Told(), ElementsAre("a created watch", "a approved watch", "a denied watch"));
}

TEST(Watcher, IgnoresDryRunsAndEmptyIds) {
  WatcherHarness h;
  AccessRequest dry;
  dry.id = "dry";
  dry.dry_run = true;
  dry.state = RequestState::kPending;
  h.teleport.Put(dry);
  AccessRequest nameless;
  nameless.state = RequestState::kPending;
  h.teleport.Put(nameless);
  h.RunUntilIdle(
      [&](int idle) {
        if (idle == 0)
          h.teleport.Announce({ChangeKind::kPut, dry}), h.teleport.Announce({ChangeKind::kPut, nameless});
      },
      2);
  EXPECT_THAT(h.Told(), IsEmpty());
}

TEST(Watcher, WaitsForAFullDiskAndGoesOnByItself) {
  WatcherHarness h;
  h.teleport.Create("a");
  h.sink.failures = 5;
  h.RunUntilIdle();
  EXPECT_THAT(h.Told(), ElementsAre("a created snapshot"));
  EXPECT_THAT(h.observer.impaired, ElementsAre("disk full", ""));
}

TEST(Watcher, IsCompleteAgainAlsoWhenTheDiskFailedInTwoWays) {
  WatcherHarness h;
  h.teleport.Create("a");
  h.sink.errors = {{ErrorKind::kFailure, "disk full", "", true}, {ErrorKind::kFailure, "odd", "", false}};
  h.RunUntilIdle();
  EXPECT_THAT(h.Told(), ElementsAre("a created snapshot"));
  EXPECT_THAT(h.observer.impaired, ElementsAre("disk full", ""));
}

TEST(Watcher, TreatsAMissingInitAsALostConnection) {
  WatcherHarness h;
  h.teleport.LateInit(true);
  h.RunUntilIdle({}, 40);
  ASSERT_FALSE(h.observer.lost.empty());
  EXPECT_EQ(h.observer.lost[0], "Teleport did not start the event stream in time");
  EXPECT_EQ(h.observer.in_step, 0);
}

TEST(Watcher, BacksOffWithACapAndForgivesAfterAStableMinute) {
  WatcherHarness h;
  h.teleport.FailNext("Ping", StreamEnd("UNAVAILABLE"), 20);
  h.RunUntilIdle(
      [&](int idle) {
        if (idle == 130) h.teleport.EndStream(StreamEnd("UNAVAILABLE"));  // 65 s of fake time later
      },
      140);
  ASSERT_EQ(h.observer.waits.size(), 21U);
  for (const auto wait : h.observer.waits) EXPECT_LE(wait, std::chrono::seconds(30));
  EXPECT_LE(h.observer.waits[20], std::chrono::seconds(1));
}

TEST(Watcher, ReturnsTheFirstErrorWhenAskedToFailFast) {
  WatcherHarness h;
  h.teleport.FailNext("Ping", {ErrorKind::kUnreachable, "refused", {}, true});
  Watcher watcher(h.teleport, h.book, nullptr, h.sink, h.observer, h.clock, h.random, h.log);
  const Status status = watcher.Run(h.stop.get_token(), true);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().kind, ErrorKind::kUnreachable);
}

TEST(Watcher, TriesAgainAtOnceWhenAskedWhileItRests) {
  WatcherHarness h;
  RealClock clock;
  h.teleport.FailNext("Ping", StreamEnd("UNAVAILABLE"), 1000);
  Watcher watcher(h.teleport, h.book, nullptr, h.sink, h.observer, clock, h.random, h.log);
  std::jthread thread([&](const std::stop_token& stop) { EXPECT_TRUE(watcher.Run(stop).has_value()); });
  for (int pings = 1; pings < 50; ++pings) {
    while (h.teleport.calls("Ping") < pings) std::this_thread::yield();
    watcher.Resync();
    while (h.teleport.calls("Ping") <= pings) watcher.Resync();
  }
  SUCCEED() << "fifty attempts would take ten minutes of back-off";
}

TEST(Watcher, EmitsNothingTwiceWhenItComparesOnRequest) {
  WatcherHarness h;
  h.teleport.Create("a");
  h.stop = std::stop_source();
  Watcher watcher(h.teleport, h.book, nullptr, h.sink, h.observer, h.clock, h.random, h.log);
  int idle = 0;
  h.teleport.OnIdle([&] {
    if (idle == 0) watcher.Resync();
    if (++idle == 3) h.stop.request_stop();
  });
  ASSERT_TRUE(watcher.Run(h.stop.get_token()).has_value());
  EXPECT_EQ(h.teleport.calls("List"), 2);
  EXPECT_THAT(h.Told(), ElementsAre("a created snapshot"));
}

}  // namespace
}  // namespace tw::access
