#include "metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

namespace tw::metrics {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Contains;
using testing::IsSupersetOf;

std::vector<std::string> Lines(const Metrics& metrics) {
  std::vector<std::string> lines;
  std::istringstream text(metrics.Text());
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

TEST(Metrics, SaysWhatWasBuilt) {
  const Metrics metrics("1.2.3");
  EXPECT_THAT(Lines(metrics), Contains("teleport_webhooks_build_info{version=\"1.2.3\"} 1"));
}

TEST(Metrics, ShowsWhetherTeleportIsThereFromTheStart) {
  Metrics metrics("1");
  EXPECT_THAT(Lines(metrics), IsSupersetOf({"teleport_webhooks_teleport_connected 0",
                                            "teleport_webhooks_watch_reconnects_total 0",
                                            "teleport_webhooks_resync_recovered_total 0"}));
  metrics.TeleportConnected(true);
  metrics.WatchReconnects(2);
  metrics.WatchReconnects(1);
  metrics.ResyncRecovered(7);
  EXPECT_THAT(Lines(metrics), IsSupersetOf({"teleport_webhooks_teleport_connected 1",
                                            "teleport_webhooks_watch_reconnects_total 3",
                                            "teleport_webhooks_resync_recovered_total 7"}));
  metrics.TeleportConnected(false);
  EXPECT_THAT(Lines(metrics), Contains("teleport_webhooks_teleport_connected 0"));
}

TEST(Metrics, ForgetsTheQueueOfAnEndpointThatIsGoneAndKeepsTheOthers) {
  Metrics metrics("1");
  for (const char* endpoint : {"old", "new"}) {
    metrics.QueueDepth(endpoint, 1);
    metrics.OldestPending(endpoint, seconds(2));
    metrics.DeadLetters(endpoint, 3);
    metrics.Attempt(endpoint, "dead", milliseconds(3));
  }
  metrics.ForgetQueue("old");
  metrics.ForgetQueue("never there");
  std::vector<std::string> gauges;
  for (const std::string& line : Lines(metrics)) {
    if (line.find("{endpoint=") != std::string::npos && line.find("attempt") == std::string::npos)
      gauges.push_back(line);
  }
  EXPECT_THAT(gauges, testing::ElementsAre("teleport_webhooks_queue_depth{endpoint=\"new\"} 1",
                                           "teleport_webhooks_oldest_pending_seconds{endpoint=\"new\"} 2",
                                           "teleport_webhooks_dead_letters{endpoint=\"new\"} 3"));
  EXPECT_THAT(Lines(metrics),
              Contains("teleport_webhooks_attempts_total{endpoint=\"old\",outcome=\"dead\"} 1"));
}

TEST(Metrics, CountsEventsAttemptsAndCallbacksByLabel) {
  Metrics metrics("1");
  metrics.EventCommitted("access_request.created");
  metrics.EventCommitted("access_request.created");
  metrics.EventCommitted("access_request.denied");
  metrics.Attempt("default", "delivered", milliseconds(3));
  metrics.Attempt("default", "retry", milliseconds(700));
  metrics.Attempt("default", "retry", milliseconds(700));
  metrics.Attempt("pager", "dead", milliseconds(2));
  metrics.Callback("200");
  EXPECT_THAT(Lines(metrics),
              IsSupersetOf({"teleport_webhooks_events_total{type=\"access_request.created\"} 2",
                            "teleport_webhooks_events_total{type=\"access_request.denied\"} 1",
                            "teleport_webhooks_attempts_total{endpoint=\"default\",outcome=\"delivered\"} 1",
                            "teleport_webhooks_attempts_total{endpoint=\"default\",outcome=\"retry\"} 2",
                            "teleport_webhooks_attempts_total{endpoint=\"pager\",outcome=\"dead\"} 1",
                            "teleport_webhooks_callbacks_total{result=\"200\"} 1"}));
}

TEST(Metrics, ShowsCountersBeforeTheirFirstIncrease) {
  Metrics metrics("1");
  metrics.BeginEvents("access_request.created");
  metrics.BeginAttempts("pager");
  EXPECT_THAT(Lines(metrics),
              IsSupersetOf({"teleport_webhooks_events_total{type=\"access_request.created\"} 0",
                            "teleport_webhooks_attempts_total{endpoint=\"pager\",outcome=\"delivered\"} 0",
                            "teleport_webhooks_attempts_total{endpoint=\"pager\",outcome=\"retry\"} 0",
                            "teleport_webhooks_attempts_total{endpoint=\"pager\",outcome=\"dead\"} 0",
                            "teleport_webhooks_attempts_total{endpoint=\"pager\",outcome=\"disabled\"} 0"}));
  metrics.Attempt("pager", "dead", milliseconds(2));
  metrics.BeginAttempts("pager");  // as at every change of the endpoint's state
  EXPECT_THAT(Lines(metrics),
              Contains("teleport_webhooks_attempts_total{endpoint=\"pager\",outcome=\"dead\"} 1"));
}

TEST(Metrics, SortsTimesIntoBucketsInSeconds) {
  Metrics metrics("1");
  metrics.Attempt("default", "delivered", microseconds(800));
  metrics.Attempt("default", "retry", milliseconds(700));
  metrics.DeliveryLag("default", seconds(4000));
  EXPECT_THAT(
      Lines(metrics),
      IsSupersetOf({"teleport_webhooks_attempt_duration_seconds_count{endpoint=\"default\"} 2",
                    "teleport_webhooks_attempt_duration_seconds_bucket{endpoint=\"default\",le=\"0.001\"} 1",
                    "teleport_webhooks_attempt_duration_seconds_bucket{endpoint=\"default\",le=\"0.5\"} 1",
                    "teleport_webhooks_attempt_duration_seconds_bucket{endpoint=\"default\",le=\"1\"} 2",
                    "teleport_webhooks_delivery_lag_seconds_bucket{endpoint=\"default\",le=\"3600\"} 0",
                    "teleport_webhooks_delivery_lag_seconds_bucket{endpoint=\"default\",le=\"86400\"} 1"}));
}

TEST(Metrics, ShowsTheLastValueOfWhatGoesUpAndDown) {
  Metrics metrics("1");
  metrics.QueueDepth("default", 900'000);
  metrics.QueueDepth("default", 12);
  metrics.OldestPending("default", seconds(90));
  metrics.EndpointState("default", 3);
  metrics.DeadLetters("default", 4);
  metrics.CredentialExpiry("identity", seconds(-5));
  EXPECT_THAT(Lines(metrics),
              IsSupersetOf({"teleport_webhooks_queue_depth{endpoint=\"default\"} 12",
                            "teleport_webhooks_oldest_pending_seconds{endpoint=\"default\"} 90",
                            "teleport_webhooks_endpoint_state{endpoint=\"default\"} 3",
                            "teleport_webhooks_dead_letters{endpoint=\"default\"} 4",
                            "teleport_webhooks_credential_expiry_seconds{kind=\"identity\"} -5"}));
}

TEST(Metrics, SaysNothingMoreOfTheStateOfAnEndpointThatWasRemoved) {
  Metrics metrics("1");
  metrics.EndpointState("gone", 2);
  metrics.EndpointState("kept", 0);
  metrics.ForgetEndpointState("gone");
  EXPECT_THAT(Lines(metrics), Contains("teleport_webhooks_endpoint_state{endpoint=\"kept\"} 0"));
  EXPECT_EQ(metrics.Text().find("endpoint=\"gone\""), std::string::npos);
}

TEST(Metrics, ExplainsEverySeriesOnce) {
  Metrics metrics("1");
  metrics.EventCommitted("access_request.created");
  metrics.Attempt("default", "delivered", milliseconds(3));
  metrics.DeliveryLag("default", seconds(1));
  metrics.QueueDepth("default", 1);
  metrics.OldestPending("default", seconds(1));
  metrics.EndpointState("default", 0);
  metrics.DeadLetters("default", 0);
  metrics.Callback("200");
  metrics.CredentialExpiry("identity", seconds(1));
  std::multiset<std::string> explained;
  for (const std::string& line : Lines(metrics)) {
    std::istringstream words(line);
    std::string hash;
    std::string help;
    std::string name;
    words >> hash >> help >> name;
    if (hash == "#" && help == "HELP") explained.insert(name);
  }
  EXPECT_EQ(explained,
            (std::multiset<std::string>{
                "teleport_webhooks_attempt_duration_seconds", "teleport_webhooks_attempts_total",
                "teleport_webhooks_build_info", "teleport_webhooks_callbacks_total",
                "teleport_webhooks_credential_expiry_seconds", "teleport_webhooks_dead_letters",
                "teleport_webhooks_delivery_lag_seconds", "teleport_webhooks_endpoint_state",
                "teleport_webhooks_events_total", "teleport_webhooks_oldest_pending_seconds",
                "teleport_webhooks_queue_depth", "teleport_webhooks_resync_recovered_total",
                "teleport_webhooks_teleport_connected", "teleport_webhooks_watch_reconnects_total"}));
}

TEST(Metrics, EscapesLabels) {
  Metrics metrics("1");
  metrics.QueueDepth("a\"b\nc\\d", 1);
  EXPECT_THAT(Lines(metrics), Contains("teleport_webhooks_queue_depth{endpoint=\"a\\\"b\\nc\\\\d\"} 1"));
}

TEST(Metrics, LosesNoCountBetweenThreads) {
  Metrics metrics("1");
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) metrics.Attempt("default", "delivered", milliseconds(1));
        EXPECT_FALSE(metrics.Text().empty());
      });
    }
  }
  EXPECT_THAT(Lines(metrics),
              Contains("teleport_webhooks_attempts_total{endpoint=\"default\",outcome=\"delivered\"} 2000"));
}

}  // namespace
}  // namespace tw::metrics
