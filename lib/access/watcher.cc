#include "access/watcher.h"

#include <optional>
#include <utility>

namespace tw::access {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kFirstRetry{1};
constexpr seconds kLongestRetry{30};
constexpr seconds kStable{60};          // a session that lasted this long forgives earlier failures
constexpr milliseconds kReadWait{500};  // how long one read of an idle stream waits
constexpr seconds kListEcho{60};        // how long after a list the stream may still bring older events
// What a superseded stream has still under way comes within this, lost packets included, or is found by the
// list.
constexpr milliseconds kDrainWait{2'000};
constexpr int kDrainReads = 256;
constexpr seconds kRightsRetry{60};  // a role that was too weak may have been mended
constexpr seconds kStoreRetry{1};
constexpr seconds kLongestStoreRetry{10};

}  // namespace

Watcher::Watcher(AccessApi& api, RequestBook& book, DecisionBook* decisions, ChangeSink& sink,
                 WatchObserver& observer, Clock& clock, Random& random, Logger& log, WatcherOptions options)
    : api_(api),
      book_(book),
      sink_(sink),
      observer_(observer),
      clock_(clock),
      random_(random),
      log_(log),
      options_(options),
      reconciler_(book, decisions, clock, options.snapshot) {}

Status Watcher::Run(std::stop_token stop, bool fail_fast) {
  Backoff backoff(kFirstRetry, kLongestRetry, random_);
  bool ever_in_step = false;
  while (!stop.stop_requested()) {
    const SteadyTime began = clock_.Steady();
    bool was_in_step = false;
    const Error error = Session(stop, was_in_step);
    if (stop.stop_requested()) break;
    ever_in_step = ever_in_step || was_in_step;
    if (fail_fast && !ever_in_step) return error;
    if (was_in_step && clock_.Steady() - began >= kStable) backoff.Reset();
    const Duration wait = backoff.Next();
    observer_.OnLost(error, std::chrono::duration_cast<milliseconds>(wait));
    if (!Rest(wait, stop)) break;
    observer_.OnTick();
  }
  return {};
}

void Watcher::Resync() {
  resync_ = true;
  std::lock_guard lock(rest_mutex_);
  rest_.request_stop();
}

bool Watcher::Rest(Duration wait, const std::stop_token& stop) {
  std::stop_source rest;
  {
    std::lock_guard lock(rest_mutex_);
    rest_ = rest;
  }
  const std::stop_callback end(stop, [&rest] { rest.request_stop(); });
  clock_.SleepFor(wait, rest.get_token());
  return !stop.stop_requested();
}

Status Watcher::RunOnce(std::stop_token stop) {
  const auto info = api_.Ping(Limits(stop));
  if (!info) return info.error();
  reconciler_.SetCluster(*info);
  observer_.OnConnected(*info);
  return Compare(stop);
}

Error Watcher::Session(std::stop_token stop, bool& was_in_step) {
  std::unique_ptr<EventStream> old;
  for (;;) {
    const auto info = api_.Ping(Limits(stop));
    if (!info) return info.error();
    reconciler_.SetCluster(*info);
    observer_.OnConnected(*info);

    auto opened = api_.Watch(stop);
    if (!opened) return opened.error();
    EventStream* const stream = opened->get();
    const std::stop_callback cancel(stop, [stream] { stream->Cancel(); });
    std::vector<StreamChange> buffered;
    if (const Status ready = AwaitInit(*stream, buffered, stop); !ready) return ready.error();
    if (old) {
      // Only now: between the two nothing can come and go unseen.
      if (const Status drained = Drain(*old, stop); !drained) return drained.error();
      old.reset();
    }
    resync_ = false;
    if (const Status compared = Compare(stop); !compared) return compared.error();
    was_in_step = true;
    if (const auto end = Follow(*stream, std::move(buffered), stop)) return *end;
    old = std::move(*opened);
  }
}

Status Watcher::Drain(EventStream& old, std::stop_token stop) {
  const SteadyTime until = clock_.Steady() + kDrainWait;
  for (int i = 0; i < kDrainReads; ++i) {
    const auto left = std::chrono::ceil<milliseconds>(until - clock_.Steady());
    if (left <= left.zero()) return {};
    const auto changes = old.Read(options_.batch, left);
    if (!changes) return {};  // it broke: the list tells the rest
    if (const Status applied = Apply(*changes, stop); !applied) return applied;
  }
  return {};
}

Status Watcher::AwaitInit(EventStream& stream, std::vector<StreamChange>& buffered, std::stop_token stop) {
  const SteadyTime give_up = clock_.Steady() + options_.init_timeout;
  while (!stop.stop_requested()) {
    auto changes = stream.Read(options_.batch, std::min(kReadWait, options_.init_timeout));
    if (!changes) return changes.error();
    observer_.OnTick();
    if (!changes->empty()) {
      if (changes->front().kind != ChangeKind::kInit) {
        return Error{ErrorKind::kUnreachable, "the event stream did not begin with INIT", {}, true};
      }
      buffered.assign(std::make_move_iterator(changes->begin() + 1), std::make_move_iterator(changes->end()));
      return {};
    }
    if (clock_.Steady() >= give_up) {
      return Error{ErrorKind::kUnreachable, "Teleport did not start the event stream in time",
                   "its cache may still be loading; trying again", true};
    }
  }
  return Error::Cancelled();
}

Status Watcher::Compare(std::stop_token stop) {
  const auto done_before = book_.FirstSyncDone();
  if (!done_before) return done_before.error();
  recovered_ = 0;
  std::size_t seen = 0;
  reconciler_.BeginList(!*done_before);
  const auto look_up = LookUp(stop);
  const Status listed = api_.List(
      {},
      [&](std::vector<AccessRequest> page) -> Status {
        observer_.OnTick();
        seen += page.size();
        for (const AccessRequest& request : page) {
          if (const Status applied = reconciler_.OnListed(request, look_up); !applied) return applied;
        }
        return CommitGathered(stop);
      },
      Limits(stop));
  if (!listed) return listed;
  if (const Status absent = ReportAbsent(seen == 0, stop); !absent) return absent;
  // A store is new until it has seen everything once: what a weak role hides is no news when it shows.
  if (!*done_before && rights_problem_.empty()) {
    if (const Status finished = book_.FinishFirstSync(); !finished) return finished;
  }
  listed_at_ = clock_.Steady();
  observer_.OnInStep(recovered_);
  return {};
}

Status Watcher::ReportAbsent(bool list_was_empty, std::stop_token stop) {
  auto sees_all = MaySeeAll(list_was_empty, stop);
  if (!sees_all) return sees_all.error();
  std::vector<std::string> missing;
  if (*sees_all) {
    auto absent = LookUpAbsent(stop);
    if (!absent) return absent.error();
    missing = std::move(*absent);
  }
  // Asked again: had the right been taken away meanwhile, every look-up would have been in vain.
  if (!missing.empty()) sees_all = MaySeeAll(list_was_empty, stop);
  if (!sees_all) return sees_all.error();
  if (*sees_all) {
    if (const Status gone = ReportGone(missing, stop); !gone) return gone;
  }
  rights_problem_ = *sees_all ? "" : "role lacks list on access_request";
  rights_asked_at_ = clock_.Steady();
  TellImpairment();
  return CommitGathered(stop);
}

// In commits of the usual size: after a long time away there may be very many.
Status Watcher::ReportGone(const std::vector<std::string>& ids, std::stop_token stop) {
  std::size_t gathered = 0;
  for (const std::string& id : ids) {
    if (const Status gone = reconciler_.OnGone(id, EventSource::kResync); !gone) return gone;
    if (++gathered % options_.batch != 0) continue;
    if (const Status committed = CommitGathered(stop); !committed) return committed;
  }
  return {};
}

Result<std::vector<std::string>> Watcher::LookUpAbsent(std::stop_token stop) {
  auto absent = reconciler_.Absent();
  if (!absent) return absent.error();
  const auto look_up = LookUp(stop);
  std::vector<std::string> missing;
  for (const std::string& id : *absent) {
    observer_.OnTick();
    const auto found = look_up(id);
    if (!found) return found.error();
    if (!*found) {
      missing.push_back(id);
    } else if (const Status applied = reconciler_.OnListed(**found, look_up); !applied) {
      return applied.error();
    }
  }
  return missing;
}

Status Watcher::AskForRightsAgain(std::stop_token stop) {
  rights_asked_at_ = clock_.Steady();
  const auto rights = api_.Rights(Limits(stop));
  if (!rights) return rights.error();
  const bool hopeless = *rights && !((*rights)->list && (*rights)->read);
  return hopeless ? Status() : Compare(stop);
}

Result<bool> Watcher::MaySeeAll(bool list_was_empty, std::stop_token stop) {
  const auto rights = api_.Rights(Limits(stop));
  if (!rights) return rights.error();
  if (*rights) return (*rights)->list && (*rights)->read;
  // Teleport 6.0 cannot be asked. A list with something in it shows the right; an empty one is believed only
  // while nothing is known that it could be hiding.
  if (!list_was_empty) return true;
  const auto live = book_.LiveIds();
  if (!live) return live.error();
  return live->empty();
}

std::optional<Error> Watcher::Follow(EventStream& stream, std::vector<StreamChange> buffered,
                                     std::stop_token stop) {
  while (true) {
    if (const Status applied = Apply(buffered, stop); !applied) return applied.error();
    if (stop.stop_requested()) return Error::Cancelled();
    if (stream.Superseded()) return std::nullopt;
    if (clock_.Steady() - listed_at_ > kListEcho) reconciler_.ForgetList();
    if (resync_.exchange(false)) {
      log_.Info("comparing with the full list, as asked");
      if (const Status compared = Compare(stop); !compared) return compared.error();
    }
    if (!rights_problem_.empty() && clock_.Steady() - rights_asked_at_ >= kRightsRetry) {
      if (const Status asked = AskForRightsAgain(stop); !asked) return asked.error();
    }
    auto changes = stream.Read(options_.batch, kReadWait);
    if (!changes) return changes.error();
    observer_.OnTick();
    buffered = std::move(*changes);
  }
}

Status Watcher::Apply(const std::vector<StreamChange>& changes, std::stop_token stop) {
  const auto look_up = LookUp(stop);
  for (const StreamChange& change : changes) {
    if (const Status applied = reconciler_.OnStream(change, look_up); !applied) {
      // What came before the trouble is sound: keep it.
      const Status kept = CommitGathered(stop);
      return kept ? applied : kept;
    }
  }
  return CommitGathered(stop);
}

// Nothing else happens until the batch is durable: a full disk holds the stream back instead of losing
// events.
Status Watcher::CommitGathered(std::stop_token stop) {
  const std::vector<Change> batch = reconciler_.TakeChanges();
  if (batch.empty()) return {};
  Backoff backoff(kStoreRetry, kLongestStoreRetry, random_);
  while (true) {
    const Status committed = sink_.Commit(batch);
    observer_.OnTick();
    if (committed) break;
    if (!committed.error().retryable) return committed;
    if (backoff.failures() == 0)
      log_.Error("cannot store events; intake waits",
                 {{"error", committed.error().message}, {"hint", committed.error().hint}});
    store_problem_ = committed.error().message;
    TellImpairment();
    if (!clock_.SleepFor(backoff.Next(), stop)) return Error::Cancelled();
  }
  if (!store_problem_.empty()) {
    log_.Info("storing events works again");
    store_problem_.clear();
    TellImpairment();
  }
  for (const Change& change : batch) {
    if (change.event && change.event->source == EventSource::kResync) ++recovered_;
  }
  return {};
}

void Watcher::TellImpairment() {
  const std::string& problem = store_problem_.empty() ? rights_problem_ : store_problem_;
  if (problem == impaired_) return;
  impaired_ = problem;
  observer_.OnImpaired(impaired_);
}

Reconciler::LookUp Watcher::LookUp(std::stop_token stop) {
  return [this, stop = std::move(stop)](const std::string& id) { return api_.Get(id, Limits(stop)); };
}

}  // namespace tw::access
