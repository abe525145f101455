#include "webhook/clerk.h"

#include <utility>

namespace tw::webhook {
namespace {

constexpr std::chrono::seconds kStoreRetry{1};

}  // namespace

Clerk::Clerk(store::Store& store, Clock& clock, Logger& log, std::string owner,
             std::chrono::milliseconds lease, std::function<void()> done)
    : store_(store),
      clock_(clock),
      log_(log),
      owner_(std::move(owner)),
      lease_(lease),
      done_(std::move(done)) {}

Clerk::~Clerk() {
  Stop();
}

void Clerk::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void Clerk::Stop() {
  if (!thread_.joinable()) return;
  stop_.request_stop();
  thread_.join();
}

void Clerk::Finish(std::vector<store::AttemptRecord> records) {
  {
    std::lock_guard lock(mutex_);
    auto& waiting = jobs_.finished;
    waiting.insert(waiting.end(), std::make_move_iterator(records.begin()),
                   std::make_move_iterator(records.end()));
  }
  changed_.notify_one();
}

void Clerk::Wish(const std::string& endpoint, std::size_t limit) {
  {
    std::lock_guard lock(mutex_);
    jobs_.wishes[endpoint] = limit;
  }
  changed_.notify_one();
}

void Clerk::MakeAllDue(const std::string& endpoint) {
  {
    std::lock_guard lock(mutex_);
    jobs_.all_due.insert(endpoint);
  }
  changed_.notify_one();
}

void Clerk::Save(const store::EndpointState& state) {
  {
    std::lock_guard lock(mutex_);
    jobs_.states[state.endpoint] = state;
  }
  changed_.notify_one();
}

void Clerk::Reread(const std::string& endpoint) {
  {
    std::lock_guard lock(mutex_);
    jobs_.rereads.insert(endpoint);
  }
  changed_.notify_one();
}

std::vector<Errand> Clerk::TakeErrands() {
  std::lock_guard lock(mutex_);
  return std::exchange(errands_, {});
}

SystemTime Clerk::LeaseUntil() const {
  return clock_.Now() + lease_;
}

void Clerk::Loop() {
  const std::stop_token stop = stop_.get_token();
  while (true) {
    Jobs jobs;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [this] { return !jobs_.empty(); });
      if (jobs_.empty()) return;  // asked to stop, and nothing is left to write
      jobs = std::exchange(jobs_, {});
    }
    Work(std::move(jobs));
  }
}

void Clerk::Work(Jobs jobs) {
  // Results first: they free the next delivery of their request for the wishes below.
  if (!jobs.finished.empty()) {
    Persist("cannot record attempts", [&] { return store_.Finish(jobs.finished); });
  }
  for (const auto& [endpoint, state] : jobs.states) {
    Persist("cannot record the state of an endpoint",
            [&, &saved = state] { return store_.SaveEndpoint(saved); });
  }
  for (const std::string& endpoint : jobs.all_due) {
    Persist("cannot make deliveries due", [&] { return store_.MakeAllDue(endpoint); });
  }
  for (const std::string& endpoint : jobs.rereads) {
    auto stored = store_.FindEndpoint(endpoint);
    if (!stored || !*stored) continue;
    std::lock_guard lock(mutex_);
    errands_.push_back({endpoint, {}, std::nullopt, std::move(*stored)});
  }
  for (const auto& [endpoint, limit] : jobs.wishes) Serve(endpoint, limit);
  done_();
}

void Clerk::Persist(std::string_view what, const std::function<Status()>& write) {
  const std::stop_token stop = stop_.get_token();
  for (bool told = false;; told = true) {
    const Status written = write();
    if (written) return;
    if (!told) log_.Error(what, {{"error", written.error().message}, {"hint", written.error().hint}});
    if (!written.error().retryable || !clock_.SleepFor(kStoreRetry, stop)) return;
  }
}

void Clerk::Serve(const std::string& endpoint, std::size_t limit) {
  Errand errand{endpoint, {}, std::nullopt, std::nullopt};
  const SystemTime now = clock_.Now();
  auto claimed = store_.Claim(endpoint, now, limit, owner_, now + lease_);
  if (!claimed) {
    log_.Error("cannot read deliveries", {{"endpoint", endpoint}, {"error", claimed.error().message}});
    errand.next_due = now + kStoreRetry;
  } else {
    errand.deliveries = std::move(*claimed);
    const auto next = store_.NextDue(endpoint);
    errand.next_due = next ? *next : std::optional(now + kStoreRetry);
  }
  std::lock_guard lock(mutex_);
  errands_.push_back(std::move(errand));
}

}  // namespace tw::webhook
