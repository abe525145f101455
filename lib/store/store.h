// Store: the durable memory of an installation: requests seen, the outbox, attempts, decisions, replayed
// callback ids. Implementations: sqlite_store (durable) and memory_store (tests, one-shot verbs); one
// contract suite runs on both. Safe for use from any thread. Errors: kFailure; `retryable` when room or
// permission may come back (full or read-only disk); a store written by a newer version is kFailure and not
// retryable.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "access/decision.h"
#include "access/event.h"
#include "access/request_book.h"
#include "base/clock.h"
#include "base/result.h"

namespace tw::store {

// A change and the endpoints that get its event (chosen by the filters at commit time).
struct Commitment {
  access::Change change;
  std::vector<std::string> endpoints;
  // Endpoints whose filter failed on the event, and why: what they would get is a dead letter from the start.
  std::map<std::string, std::string> unfiltered;
};

enum class DeliveryStatus { kPending, kDelivered, kDead };

// One event for one endpoint.
struct Delivery {
  std::int64_t id = 0;  // grows with commit order
  std::string endpoint;
  std::string event_id;
  std::string request_id;
  std::string event_json;  // access::EventToJson of the event
  DeliveryStatus status = DeliveryStatus::kPending;
  SystemTime created;  // the event's timestamp
  int attempts = 0;
  std::optional<SystemTime> first_attempt;
  std::chrono::milliseconds held_before_first{0};  // the endpoint's held_total at the first attempt
  SystemTime due;                                  // not before this
  int last_status = 0;                             // HTTP status of the last attempt, 0 when none came
  std::string last_error;                          // why the last attempt failed, or why it is dead
  std::optional<SystemTime> finished;
};

// What one attempt did to a delivery.
struct AttemptRecord {
  std::int64_t delivery_id = 0;
  DeliveryStatus status = DeliveryStatus::kPending;  // after the attempt
  SystemTime at;                                     // when the attempt began
  std::chrono::milliseconds took{0};
  std::chrono::milliseconds held_total{0};  // of the endpoint, kept at the first attempt
  int http_status = 0;
  std::string error;
  SystemTime due;       // next try, when still pending
  bool counted = true;  // false: given back without an attempt (shutdown, hold)
};

enum class HoldKind { kNone, kRetryAfter, kBreaker, kDisabled };

// The health of an endpoint; survives restarts.
struct EndpointState {
  std::string endpoint;
  std::string url_digest;  // SHA-256 of the URL, so that a changed URL lifts a 410 without keeping the URL
  HoldKind hold = HoldKind::kNone;
  std::optional<SystemTime> hold_since;
  std::optional<SystemTime> hold_until;     // next probe; absent: until lifted by hand
  std::chrono::milliseconds held_total{0};  // sum of finished holds; max_elapsed stands still during them
  int consecutive_failures = 0;
  int breaker_trips = 0;
  std::string last_answer;  // "200", "503 Service Unavailable", "connect: refused"
  std::optional<SystemTime> last_answer_at;
};

struct QueueSummary {
  std::string endpoint;
  std::int64_t pending = 0;
  std::int64_t dead = 0;
  std::int64_t delivered = 0;
  std::optional<SystemTime> oldest_pending;
  EndpointState state;
};

// Deliveries that a commit may lease at once for the endpoints that have room, so that the way from intake to
// the receiver needs neither a second transaction nor a read.
struct ClaimOnCommit {
  std::string owner;
  SystemTime lease_until;
  std::map<std::string, std::size_t, std::less<>> room;  // by endpoint: how many at most
};

struct Committed {
  std::vector<bool> fresh;        // for each commitment: was its event new?
  std::vector<Delivery> claimed;  // leased as by Claim, in commit order
};

// Which deliveries a manual command means; empty fields match all.
struct DeliveryQuery {
  std::optional<DeliveryStatus> status;
  std::string endpoint;
  std::string request_id;
  std::optional<std::int64_t> delivery_id;
  std::optional<SystemTime> since;  // committed at or after
  std::int64_t after_id = 0;        // for paging: ids above this
  std::size_t limit = 1000;
};

// The remembered answer to a callback (product.md section 5, replays).
struct ReplayAnswer {
  std::string body_digest;  // SHA-256 of the request body
  int status = 0;
  std::string content_type;
  std::string body;
};

inline constexpr int kAttemptsKept = 20;

class Store : public access::RequestBook, public access::DecisionBook {
 public:
  using access::DecisionBook::Find;
  using access::RequestBook::Find;

  // Intake. All of it in one transaction, on disk (fsync) before it returns. An event whose id was committed
  // before is dropped, its record is still updated. Returns for each commitment whether its event was new.
  virtual Result<std::vector<bool>> Commit(std::span<const Commitment> batch) = 0;
  // The same, and leases new deliveries that are free to go while there is room. Those that find no room wait
  // for Claim; so do older ones, hence give no room to an endpoint whose queue is not empty.
  virtual Result<Committed> CommitAndClaim(std::span<const Commitment> batch, const ClaimOnCommit& claim) = 0;

  // Takes deliveries that are due: pending, first of their request for this endpoint, and leased to nobody (a
  // lease that has run out counts for nothing); oldest first. They are leased to `owner` until `lease_until`.
  // New ones are due whatever their `due` says, so that a clock set back holds nothing up.
  virtual Result<std::vector<Delivery>> Claim(const std::string& endpoint, SystemTime now, std::size_t limit,
                                              const std::string& owner, SystemTime lease_until) = 0;
  // Claims one delivery by id whatever its status or due time (manual resend); nullopt when another holds it.
  virtual Result<std::optional<Delivery>> ClaimOne(std::int64_t delivery_id, SystemTime now,
                                                   const std::string& owner, SystemTime lease_until) = 0;
  // Records attempts and gives the leases back. Delivered and dead ones make the next delivery of their
  // request due; one that is pending again (a dead letter sent by hand) goes before its request's later ones.
  // Deliveries that no longer exist are passed over. Lazy: may be lost by a crash (the delivery is then
  // repeated with the same webhook-id).
  virtual Status Finish(std::span<const AttemptRecord> attempts) = 0;
  // Gives back every lease of `owner` (shutdown, or what a crashed predecessor left).
  virtual Status ReleaseLeases(const std::string& owner) = 0;
  // The last attempts of a delivery (kAttemptsKept at most), oldest first; held_total is not kept.
  virtual Result<std::vector<AttemptRecord>> Attempts(std::int64_t delivery_id) = 0;
  // When the next delivery of the endpoint falls due, a time in the past when one is due now; a leased one
  // counts from the end of its lease. Nullopt when nothing is pending.
  virtual Result<std::optional<SystemTime>> NextDue(const std::string& endpoint) = 0;
  // Makes waiting first-of-their-request deliveries due at once, in their original order (after a recovery).
  virtual Status MakeAllDue(const std::string& endpoint) = 0;

  virtual Result<std::optional<EndpointState>> FindEndpoint(const std::string& endpoint) = 0;
  virtual Status SaveEndpoint(const EndpointState& state) = 0;

  // Looking and mending by hand.
  virtual Result<std::vector<QueueSummary>> Summaries() = 0;  // every endpoint that has rows or a state
  virtual Result<std::vector<Delivery>> Deliveries(const DeliveryQuery& query) = 0;  // by id
  // Has an event later than this delivery's been delivered for the same request and endpoint?
  virtual Result<bool> Superseded(std::int64_t delivery_id) = 0;
  // Forgets a delivery, whatever its status. Error: kNotFound.
  virtual Status Discard(std::int64_t delivery_id) = 0;

  // Replay protection of callbacks, by caller and webhook-id.
  virtual Result<std::optional<ReplayAnswer>> FindReplay(const std::string& caller,
                                                         const std::string& webhook_id) = 0;
  virtual Status SaveReplay(const std::string& caller, const std::string& webhook_id,
                            const ReplayAnswer& answer, SystemTime forget_after) = 0;

  // One small step of housekeeping, in a transaction that touches at most about `limit` rows: deletes
  // finished deliveries, events, gone requests, decisions and replays past `retain`; turns pending deliveries
  // older than `retain` into dead letters where the endpoint is held, or is not among `served` (the endpoints
  // of the configuration; empty: not known, none is given up for that). True: more to do.
  virtual Result<bool> Sweep(SystemTime now, std::chrono::milliseconds retain, std::size_t limit,
                             std::span<const std::string> served = {}) = 0;
};

}  // namespace tw::store
