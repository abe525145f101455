// A stand-in Auth Service in this process: real gRPC over mutual TLS on loopback, certificates on disk,
// access requests in memory. The program teleport-sandbox and the integration tests run it through this
// class. All members may be called from any thread; Stop (or destruction) ends everything within a few
// seconds.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/url.h"
#include "model/book.h"
#include "pki/pki.h"
#include "service/faults.h"

namespace tw::sandbox {

struct SandboxOptions {
  std::filesystem::path dir;  // credentials are written here: NAME.key, NAME.crt, NAME.cas, NAME.identity
  Address listen{"127.0.0.1", 0};
  Release release = Release::k18;
  std::string cluster = "example.com";
  KeyType key_type = KeyType::kEc;
  std::chrono::seconds user_life = std::chrono::hours(24 * 30);
  // Events a watcher may lag behind before its stream is ended.
  std::size_t watch_queue = 32768;
  // Clients that ping more often are sent away with GOAWAY too_many_pings (reference page section 5.8).
  std::chrono::milliseconds min_ping_interval = std::chrono::seconds(60);
  // How often requests past their end are looked for.
  std::chrono::milliseconds expiry_scan = std::chrono::milliseconds(250);
  // Fronts for clients that come in by the proxy (sections 5.5 and 5.6); each gets a port of its own.
  std::optional<Address> proxy;
  std::optional<Address> load_balancer;
};

struct Burst {
  std::size_t count = 0;
  std::string user = "alice";
  std::vector<std::string> roles = {"dba"};
  std::string reason;
  bool approve = false;  // each right after its creation
  bool remove = false;   // each at the end
  // First make and serialise everything, then let all events go at once.
  bool hold = false;
};

class Sandbox {
 public:
  // Error: kFailure or kUsage, with what could not be made or bound.
  static Result<std::unique_ptr<Sandbox>> Start(SandboxOptions options);
  ~Sandbox();
  void Stop();

  const SandboxOptions& options() const;
  Address address() const;  // of the Auth Service
  std::optional<Address> proxy_address() const;
  std::optional<Address> load_balancer_address() const;
  // Path of a file in the directory, e.g. File("plugin.identity").
  std::string File(const std::string& name) const;

  // What an administrator on the auth host would do. Errors: kNotFound, kConflict, kFailure.
  Result<std::string> Request(NewRequest wanted);  // the new id
  Status SetState(const StateChange& change);
  Status Approve(const std::string& id, const std::string& reason = {});
  Status Deny(const std::string& id, const std::string& reason = {});
  Result<State> SubmitReview(const std::string& id, const std::string& author, State proposed,
                             const std::string& reason = {});
  Status Promote(const std::string& id, const AccessList& list, const std::string& reason = {});
  Status Delete(const std::string& id);
  Status Expire(const std::string& id);
  Status Touch(const std::string& id);
  RequestPtr Find(const std::string& id) const;  // null: not there
  std::vector<RequestPtr> List(const ListQuery& query = {}) const;
  std::optional<std::string> LastDelegator(const std::string& id) const;
  Status SetRights(const std::string& user, const std::vector<std::string>& words);
  // Number of requests made. Error kTimeout: the watchers did not read for 30 s.
  Result<std::size_t> MakeBurst(const Burst& burst, std::stop_token stop = {});

  // Credentials. A user that is not known yet gets no rights.
  Status WriteUser(const std::string& name, std::chrono::seconds life = std::chrono::seconds(0),
                   bool impersonated = false, const std::vector<std::string>& active_requests = {});
  Status WriteAllUsers(std::chrono::seconds life = std::chrono::seconds(0));
  Status Rotate(RotationPhase phase);  // WriteUser afterwards for what clients shall see

  // Misbehaviour.
  Faults& faults();
  void EndStreams(const StreamEnd& end);  // after_events 0: at once, those that are open only
  void SetListLag(std::chrono::milliseconds lag);
  void RequireMfa(bool required);
  void PublishUnknownEvent();
  void DropConnections();    // cut, without a word; those through proxy and load balancer too
  void RefuseConnections();  // until accepted again, whichever way they come; connections live on
  Status AcceptConnections();
  void RefuseConnectionsFor(std::chrono::milliseconds time);
  void SuspendFronts();  // as if proxy and load balancer were killed
  Status ResumeFronts();
  void ClearFaults();

  bool WaitForWatchers(std::size_t count, std::chrono::milliseconds timeout, std::stop_token stop = {}) const;
  std::size_t watchers() const;
  std::size_t connections() const;
  std::size_t requests() const;

 private:
  struct Parts;
  explicit Sandbox(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace tw::sandbox
