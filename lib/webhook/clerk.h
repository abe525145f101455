// Clerk: does the deliverer's work with the store on a thread of its own, so that a commit's fsync never
// keeps requests from going out. Takes finished attempts and wishes for more work; gives back leased
// deliveries.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "store/store.h"

namespace tw::webhook {

// What the clerk found for one endpoint.
struct Errand {
  std::string endpoint;
  std::vector<store::Delivery> deliveries;     // leased to us
  std::optional<SystemTime> next_due;          // when the rest falls due; nullopt: nothing waits
  std::optional<store::EndpointState> stored;  // only when asked for: the endpoint's state in the store
};

// All methods from any thread. Start before use; Stop waits for what was handed in.
class Clerk {
 public:
  // `done` is called after each errand (the result waits in TakeErrands) and must be cheap.
  Clerk(store::Store& store, Clock& clock, Logger& log, std::string owner, std::chrono::milliseconds lease,
        std::function<void()> done);
  ~Clerk();

  void Start();
  void Stop();

  void Finish(std::vector<store::AttemptRecord> records);
  // Wishes for up to `limit` due deliveries. One wish an endpoint at a time; a later one replaces it.
  void Wish(const std::string& endpoint, std::size_t limit);
  void MakeAllDue(const std::string& endpoint);
  void Save(const store::EndpointState& state);
  // Asks for the stored state of an endpoint (another process may have lifted its hold).
  void Reread(const std::string& endpoint);

  std::vector<Errand> TakeErrands();
  const std::string& owner() const { return owner_; }
  SystemTime LeaseUntil() const;

 private:
  struct Jobs {
    std::vector<store::AttemptRecord> finished;
    std::map<std::string, std::size_t> wishes;
    std::set<std::string> all_due;
    std::map<std::string, store::EndpointState> states;
    std::set<std::string> rereads;
    bool empty() const {
      return finished.empty() && wishes.empty() && all_due.empty() && states.empty() && rereads.empty();
    }
  };

  void Loop();
  void Work(Jobs jobs);
  // Tries until it works or the clerk is stopped: a full disk must not make a delivery be forgotten.
  void Persist(std::string_view what, const std::function<Status()>& write);
  void Serve(const std::string& endpoint, std::size_t limit);

  store::Store& store_;
  Clock& clock_;
  Logger& log_;
  const std::string owner_;
  const std::chrono::milliseconds lease_;
  const std::function<void()> done_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Jobs jobs_;
  std::vector<Errand> errands_;
  std::stop_source stop_;  // not the thread's own: the thread may run before thread_ is set
  std::thread thread_;
};

}  // namespace tw::webhook
