// A Teleport cluster in memory behind the AccessApi port: requests, one event stream, and trouble on demand.
// Thread-safe. A stream's Read never really waits: with nothing to give it answers empty at once and moves
// the fake clock on by the timeout, so that single-threaded tests run to their end.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "access/access_api.h"
#include "fakes/fake_clock.h"

namespace tw::fakes {

class FakeTeleport final : public access::AccessApi {
 public:
  explicit FakeTeleport(FakeClock& clock) : clock_(clock) {}

  // What the cluster does.
  access::AccessRequest Create(const std::string& id, const std::string& user = "alice",
                               std::vector<std::string> roles = {"dba"});
  void SetStateDirectly(const std::string& id, access::RequestState state, const std::string& reason = {});
  void AddReview(const std::string& id, const std::string& author, access::RequestState state);
  void Touch(const std::string& id);  // a PUT that differs only in its revision
  void Delete(const std::string& id);
  void Put(const access::AccessRequest& request, bool announce = true);  // as is
  void Announce(access::StreamChange change);                            // to the stream only
  std::optional<access::AccessRequest> Find(const std::string& id);
  std::vector<std::string> Ids();

  // Trouble.
  void EndStream(Error error);  // the open stream ends after what it still holds
  void FailNext(const std::string& call, Error error,
                int times = 1);  // "Ping", "Watch", "List", "Get", "SetState", ...
  // Each such call takes so long, or times out; "Get", "SetState".
  void Slow(const std::string& call, Duration time) { slow_[call] = time; }
  void LoseAnswerOfNextSetState();  // it has its effect, but the answer never comes
  void OvertakeNextSetState();      // an outsider sets the same state in between, so that it is refused
  void HideFromList(const std::string& id) { hidden_.insert(id); }
  void FreezeList();  // List answers what was true now, until ThawList
  void ThawList() { frozen_list_.reset(); }
  void LateInit(bool late) { late_init_ = late; }
  // Runs once, between the list and its answer (a change that the list may or may not have seen).
  void DuringNextList(std::function<void()> action) { during_list_ = std::move(action); }
  // Runs before every look-up by id.
  void OnGet(std::function<void()> action) { on_get_ = std::move(action); }
  // Runs when a stream has nothing to give.
  void OnIdle(std::function<void()> action) { on_idle_ = std::move(action); }
  std::optional<access::OwnRights> rights = access::OwnRights{true, true, true, true, {"plugin"}};
  access::ClusterInfo info{"example.com", "18.2.0", "proxy.example.com:443", "plugin", std::nullopt, "auth"};

  int calls(const std::string& call);
  std::vector<access::StateChange> state_changes();

  Result<access::ClusterInfo> Ping(const access::CallLimits& limits) override;
  Result<std::unique_ptr<access::EventStream>> Watch(std::stop_token stop) override;
  Status List(const access::ListFilter& filter, const PageVisitor& page,
              const access::CallLimits& limits) override;
  Result<std::optional<access::AccessRequest>> Get(const std::string& id,
                                                   const access::CallLimits& limits) override;
  Status SetState(const access::StateChange& change, const access::CallLimits& limits) override;
  Result<access::AccessRequest> SubmitReview(const access::ReviewSubmission& review,
                                             const access::CallLimits& limits) override;
  Result<std::optional<access::OwnRights>> Rights(const access::CallLimits& limits) override;

 private:
  friend class FakeStream;
  struct StreamState {
    std::deque<access::StreamChange> queue;
    std::optional<Error> end;
    bool cancelled = false;
  };

  std::optional<Error> Called(const std::string& call);
  std::optional<Error> TakeTime(const std::string& call, const access::CallLimits& limits);
  void ChangeLocked(access::AccessRequest request);

  FakeClock& clock_;
  std::recursive_mutex mutex_;
  std::map<std::string, access::AccessRequest> requests_;
  std::shared_ptr<StreamState> stream_;
  std::map<std::string, std::deque<Error>> failures_;
  std::map<std::string, int> calls_;
  std::map<std::string, Duration> slow_;
  std::set<std::string> hidden_;
  std::optional<std::map<std::string, access::AccessRequest>> frozen_list_;
  std::function<void()> during_list_;
  std::function<void()> on_get_;
  std::function<void()> on_idle_;
  std::vector<access::StateChange> state_changes_;
  bool late_init_ = false;
  bool lose_answer_ = false;
  bool overtake_ = false;
  std::int64_t revision_ = 0;
};

}  // namespace tw::fakes
