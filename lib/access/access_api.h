// AccessApi: the port to a Teleport cluster. lib/teleport implements it over gRPC, tests/fakes in memory.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "access/access_request.h"
#include "base/result.h"

namespace tw::access {

struct ClusterInfo {
  std::string cluster;         // cluster name
  std::string server_version;  // "18.2.1"
  std::string proxy_address;   // host:port of the proxy, may be empty
  std::string user;            // the Teleport user of our own certificate
  std::optional<SystemTime> certificate_expires;
  std::string route;  // "auth", "proxy" or "proxy-upgrade"
  // On the way through a proxy: who named the cluster to it, "proxy" (asked before) or "certificate".
  std::string cluster_name_from = {};
};

enum class ChangeKind { kInit, kPut, kDelete };

// One message of the event stream. kDelete carries only the id (in request.id).
struct StreamChange {
  ChangeKind kind = ChangeKind::kInit;
  AccessRequest request;
};

// An open event stream. One thread reads; Cancel may come from any thread. Destruction cancels.
class EventStream {
 public:
  virtual ~EventStream() = default;
  // Waits at most `timeout` for the first, returns up to `most` changes in order. Empty: nothing came in
  // time. Error: the stream ended, whatever its status; the error tells why and never recovers.
  virtual Result<std::vector<StreamChange>> Read(std::size_t most, std::chrono::milliseconds timeout) = 0;
  virtual void Cancel() = 0;
  // True once another watch should take over, since it would go over a newer connection (credentials were
  // renewed). This one goes on meanwhile; the read under way when it comes about returns at once.
  virtual bool Superseded() const { return false; }
};

struct ListFilter {
  std::string user;                          // empty: all
  RequestState state = RequestState::kNone;  // kNone: all
};

struct StateChange {
  std::string id;
  RequestState state = RequestState::kNone;  // kApproved or kDenied
  std::string delegator;
  std::string reason;
  std::vector<std::string> roles;
  Annotations annotations;
  std::optional<SystemTime> assume_start_time;
};

struct ReviewSubmission {
  std::string id;
  RequestState state = RequestState::kNone;
  std::string reason;
  std::optional<SystemTime> assume_start_time;
};

// What our own roles allow on access_request; nullopt where it cannot be known (GetRole missing on 6.0).
struct OwnRights {
  bool list = false;
  bool read = false;
  bool update = false;
  bool review = false;
  std::vector<std::string> roles;
};

struct CallLimits {
  std::chrono::milliseconds timeout{10'000};
  std::stop_token stop;
};

// Errors: kUnreachable (retryable) when no answer came, kCredentials for refused certificates and missing
// rights (the message names the right), kNotFound, kConflict, kTimeout, kCancelled. `retryable` says whether
// the same call may succeed later. All calls are safe from any thread and bounded by `limits`.
class AccessApi {
 public:
  virtual ~AccessApi() = default;
  virtual Result<ClusterInfo> Ping(const CallLimits& limits) = 0;
  // Opens a watch of all access requests. The first change read is kInit unless the server errs.
  virtual Result<std::unique_ptr<EventStream>> Watch(std::stop_token stop) = 0;
  // Calls `page` for every page, in the server's order, until all were seen or `page` fails.
  using PageVisitor = std::function<Status(std::vector<AccessRequest>)>;
  virtual Status List(const ListFilter& filter, const PageVisitor& page, const CallLimits& limits) = 0;
  // Looks one request up in the backend. Nullopt: no such request, or our role may not see it.
  virtual Result<std::optional<AccessRequest>> Get(const std::string& id, const CallLimits& limits) = 0;
  virtual Status SetState(const StateChange& change, const CallLimits& limits) = 0;
  // The request after the review.
  virtual Result<AccessRequest> SubmitReview(const ReviewSubmission& review, const CallLimits& limits) = 0;
  virtual Result<std::optional<OwnRights>> Rights(const CallLimits& limits) = 0;
};

}  // namespace tw::access
