// Forced ends of the stream with changes in the gaps: each final state is reported exactly once.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "unit/access/watcher_harness.h"

namespace tw::access {
namespace {

// A thousand ends in all, spread over several clusters: each end costs a list of everything made so far.
constexpr unsigned kClusters = 8;
constexpr int kStreamEnds = 125;
constexpr const char* kStatuses[] = {
    "OK", "UNAVAILABLE", "UNKNOWN", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "CANCELLED"};

class Scenario {
 public:
  Scenario(WatcherHarness& harness, unsigned seed) : h_(harness), random_(seed) {}

  // A few random changes, as a cluster makes them.
  void Act() {
    for (int i = 0; i < 3; ++i) {
      switch (Pick(6)) {
        case 0:
        case 1: {
          const std::string id = "r" + std::to_string(next_++);
          h_.teleport.Create(id);
          live_.push_back(id);
          break;
        }
        case 2:
          OnSome([&](const std::string& id) { h_.teleport.SetStateDirectly(id, RequestState::kApproved); },
                 RequestState::kPending);
          break;
        case 3:
          OnSome([&](const std::string& id) { h_.teleport.SetStateDirectly(id, RequestState::kDenied); },
                 RequestState::kApproved);
          break;
        case 4:
          OnSome([&](const std::string& id) { h_.teleport.AddReview(id, "carol", RequestState::kDenied); },
                 RequestState::kPending);
          break;
        default:
          OnSome([&](const std::string& id) { h_.teleport.Delete(id); }, std::nullopt);
          break;
      }
    }
  }

  std::size_t Pick(std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
  }

 private:
  template <class Action>
  void OnSome(Action action, std::optional<RequestState> state) {
    if (live_.empty()) return;
    const std::string id = live_[Pick(live_.size())];
    const auto request = h_.teleport.Find(id);
    if (request && (!state || request->state == *state)) action(id);
  }

  WatcherHarness& h_;
  std::mt19937 random_;
  std::vector<std::string> live_;
  int next_ = 0;
};

class GapFreeWatch : public testing::TestWithParam<unsigned> {};

INSTANTIATE_TEST_SUITE_P(OverAThousandStreamEnds, GapFreeWatch, testing::Range(0U, kClusters));

TEST_P(GapFreeWatch, ReportsEachFinalStateExactlyOnce) {
  WatcherHarness h;
  Scenario scenario(h, GetParam());
  h.RunUntilIdle(
      [&](int idle) {
        scenario.Act();  // some of it reaches the stream before it ends ...
        if (idle % 3 == 0) h.teleport.DuringNextList([&] { scenario.Act(); });
        h.teleport.EndStream(StreamEnd(kStatuses[static_cast<std::size_t>(idle) % std::size(kStatuses)]));
        scenario.Act();  // ... and the rest falls into the gap
      },
      kStreamEnds);
  h.RunUntilIdle();

  std::set<std::string> ids;
  std::map<std::string, const Event*> last;
  for (const Event& event : h.sink.events) {
    EXPECT_TRUE(ids.insert(event.id).second) << "told twice: " << event.id << " of " << event.request.id;
    last[event.request.id] = &event;
  }
  for (const std::string& id : h.teleport.Ids()) {
    ASSERT_TRUE(last.contains(id)) << id;
    EXPECT_EQ(last[id]->request.state, h.teleport.Find(id)->state) << id;
    EXPECT_EQ(last[id]->request.reviews.size(), h.teleport.Find(id)->reviews.size()) << id;
  }
  for (const auto& [id, event] : last) EXPECT_EQ(IsGone(event->type), !h.teleport.Find(id).has_value()) << id;
  EXPECT_GE(h.observer.lost.size(), static_cast<std::size_t>(kStreamEnds) - 1);
}

}  // namespace
}  // namespace tw::access
