// Store: the durable memory of an installation: requests seen, the outbox, attempts, decisions, replayed
// callback ids. Implementations: sqlite_store (durable) and tests/fakes or memory_store (tests); one contract
// suite runs on both. Safe for use from any thread. Errors: kFailure; `retryable` when room or permission may
// come back (full or read-only disk); a store written by a newer version is kFailure and not retryable.
#pragma once

#include <chrono>
#include <cstdint>
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
  SystemTime created;  // when it was committed
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

class Store : public access::RequestBook, public access::DecisionBook {
 public:
  // Intake. All of it in one transaction, on disk (fsync) before it returns. An event whose id was committed
  // before is dropped, its record is still updated. Returns for each commitment whether its event was new.
  virtual Result<std::vector<bool>> Commit(std::span<const Commitment> batch) = 0;

  // Takes deliveries that are due: pending, first of their request for this endpoint, not leased by another;
  // oldest first. They are leased to `owner` until `lease_until`.
  virtual Result<std::vector<Delivery>> Claim(const std::string& endpoint, SystemTime now, std::size_t limit,
                                              const std::string& owner, SystemTime lease_until) = 0;
  // Claims one delivery by id whatever its status or due time (manual resend); nullopt when another holds it.
  virtual Result<std::optional<Delivery>> ClaimOne(std::int64_t delivery_id, SystemTime now,
                                                   const std::string& owner, SystemTime lease_until) = 0;
  // Records attempts and gives the leases back. Delivered and dead ones make the next delivery of their
  // request due. Lazy: may be lost by a crash (the delivery is then repeated with the same webhook-id).
  virtual Status Finish(std::span<const AttemptRecord> attempts) = 0;
  // Gives back every lease of `owner` (shutdown, or what a crashed predecessor left).
  virtual Status ReleaseLeases(const std::string& owner) = 0;
  // When the next delivery of the endpoint falls due; nullopt when none is pending and free.
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
  virtual Status Discard(std::int64_t delivery_id) = 0;

  // Replay protection of callbacks, by caller and webhook-id.
  virtual Result<std::optional<ReplayAnswer>> FindReplay(const std::string& caller,
                                                         const std::string& webhook_id) = 0;
  virtual Status SaveReplay(const std::string& caller, const std::string& webhook_id,
                            const ReplayAnswer& answer, SystemTime forget_after) = 0;

  // One small step of housekeeping: deletes at most `limit` finished deliveries, events, gone requests,
  // decisions and replays past `retain`; turns pending ones of held endpoints older than `retain` into dead
  // letters. True: more to do.
  virtual Result<bool> Sweep(SystemTime now, std::chrono::milliseconds retain, std::size_t limit) = 0;
};

}  // namespace tw::store
